"""What makes two jobs the same job: then the second costs nothing."""

import hashlib
import json

from gpu_job.contract import JobOptions

# Raised only when old results must be made again: every archived recording is bought anew.
RESULT_EPOCH = 1


def job_id(
    content_sha256: str, options: JobOptions, model_revision: str, *, again: str = ""
) -> str:
    """SHA-256 over the original bytes' hash, the options, the model's revision and the epoch.

    Options at their defaults are left out, so that a new option with a default that does what
    was always done changes no identity. `again` names the run that somebody forced to compute
    the same once more: a job of its own, which that run's retries find again.
    """
    identity: dict[str, object] = {
        "content": content_sha256,
        "epoch": RESULT_EPOCH,
        "model_revision": model_revision,
        "options": options.model_dump(mode="json", exclude_defaults=True),
    }
    if again:
        identity["again"] = again
    text = json.dumps(identity, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()
