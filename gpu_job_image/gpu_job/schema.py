"""`python -m gpu_job.schema`: print the contract's JSON Schema (`docs/contract.schema.json`)."""

import json
import sys
from typing import Any

from pydantic.json_schema import models_json_schema

from .contract import CONTRACT_VERSION, JobRequest, JobResult, Lease, Manifest


def contract_schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of requests, results, leases and manifests as stored in a bucket."""
    parts = (JobRequest, JobResult, Lease, Manifest)
    _, found = models_json_schema(
        [(part, "serialization") for part in parts],
        title=f"Escriba's job contract, version {CONTRACT_VERSION}",
        description="Times within a recording are integer milliseconds from its first sample.",
    )
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **found,
        "anyOf": [{"$ref": f"#/$defs/{part.__name__}"} for part in parts],
    }


if __name__ == "__main__":
    sys.stdout.write(json.dumps(contract_schema(), indent=2, ensure_ascii=False) + "\n")
