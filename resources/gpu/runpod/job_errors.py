"""The errors of failed jobs: of our worker, or RunPod's own."""

import json
from typing import Any, get_args

from gpu_job.contract import ErrorCode
from resources.http.json_requests import readable


def error_of(error: Any, secret: str) -> str:  # noqa: ANN401  # from a worker or RunPod
    """The error text of a failed job: JSON of our worker or of RunPod, or plain text."""
    error = _error_object(error) or error
    if isinstance(error, dict):
        kind = error.get("code") or error.get("error_type") or ""
        message = error.get("message") or error.get("error_message") or ""
        error = f"{kind}: {message}" if kind and message else kind or message
    return readable(str(error or ""), secret)


def code_of(error: Any) -> str:  # noqa: ANN401  # from a worker or RunPod
    """Our worker's error code; empty for an error of RunPod or of anything else."""
    code = (_error_object(error) or {}).get("code")
    return code if isinstance(code, str) and code in get_args(ErrorCode) else ""


def _error_object(error: Any) -> dict[str, Any] | None:  # noqa: ANN401  # the same
    if isinstance(error, str):
        try:
            error = json.loads(error)
        except (ValueError, RecursionError):
            return None
    return error if isinstance(error, dict) else None
