"""The identity of a job: a second job with the same identity costs nothing."""

import hashlib
import json

from gpu_job.contract import JobOptions

# Increase only if old results must be recomputed: every archived recording is then paid for again.
RESULT_EPOCH = 1


def job_id(
    content_sha256: str, options: JobOptions, model_revision: str, *, again: str = ""
) -> str:
    """SHA-256 over the original bytes' hash, the options, the model's revision and the epoch.

    Options at their defaults are omitted, so a new option whose default keeps the behavior changes
    no identity. again: the run that was forced to compute the same again; it gets a job of its own,
    which the retries of that run find.
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
