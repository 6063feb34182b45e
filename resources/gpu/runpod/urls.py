"""The paths of RunPod's APIs; no other module knows them.

Jobs: docs.runpod.io/serverless/endpoints/operation-reference. Endpoints: REST v2,
docs.runpod.io/api-reference-v2; v1 ended in 2026.
"""

from urllib.parse import quote

CONSOLE = "https://console.runpod.io/serverless/user/endpoint"

# REST v2, below RUNPOD_CONTROL_URL
ENDPOINTS = "/serverless"
GPU_TYPES = "/catalog/gpus"
BILL = "/billing/serverless"


def run(endpoint: str) -> str:
    """POST: a new job. This one and the next three are below RUNPOD_API_URL."""
    return f"/{quote(endpoint, safe='')}/run"


def status(endpoint: str, job: str) -> str:
    """GET: the status of a job."""
    return f"/{quote(endpoint, safe='')}/status/{quote(job, safe='')}"


def cancel(endpoint: str, job: str) -> str:
    """POST without a body: cancel a job."""
    return f"/{quote(endpoint, safe='')}/cancel/{quote(job, safe='')}"


def health(endpoint: str) -> str:
    """GET: the numbers of jobs and workers, by state."""
    return f"/{quote(endpoint, safe='')}/health"


def one_endpoint(endpoint: str) -> str:
    """GET and PATCH; below RUNPOD_CONTROL_URL."""
    return f"{ENDPOINTS}/{quote(endpoint, safe='')}"


def console_page(endpoint: str) -> str:
    """The page of the endpoint and its jobs in RunPod's console."""
    return f"{CONSOLE}/{quote(endpoint, safe='')}"


def batches(endpoint: str) -> str:
    """POST: a new batch; below RUNPOD_API_URL, as all of a batch.

    docs.runpod.io/serverless/batch-jobs
    """
    return f"/{quote(endpoint, safe='')}/batch"


def batch(endpoint: str, id_: str) -> str:
    """GET: the summary of a batch."""
    return f"{batches(endpoint)}/{quote(id_, safe='')}"


def batch_requests(endpoint: str, id_: str) -> str:
    """GET: the requests of a batch, in pages. POST: further ones, while it is a draft."""
    return f"{batch(endpoint, id_)}/requests"


def batch_finalize(endpoint: str, id_: str) -> str:
    """POST without a body: no more requests; workers may take them."""
    return f"{batch(endpoint, id_)}/finalize"


def batch_cancel(endpoint: str, id_: str) -> str:
    """POST without a body: requests in the queue are cancelled, running ones end by themselves."""
    return f"{batch(endpoint, id_)}/cancel"
