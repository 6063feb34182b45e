"""Where RunPod is asked for what: the only place that knows its paths.

Jobs: docs.runpod.io/serverless/endpoints/operation-reference. Endpoints: REST v2,
docs.runpod.io/api-reference-v2; v1 ended in 2026.
"""

from urllib.parse import quote

CONSOLE = "https://console.runpod.io/serverless/user/endpoint"

# of REST v2, below RUNPOD_CONTROL_URL
ENDPOINTS = "/serverless"
GPU_TYPES = "/catalog/gpus"
BILL = "/billing/serverless"


def run(endpoint: str) -> str:
    """POST: a new job; of all of these, below RUNPOD_API_URL."""
    return f"/{quote(endpoint, safe='')}/run"


def status(endpoint: str, job: str) -> str:
    """GET."""
    return f"/{quote(endpoint, safe='')}/status/{quote(job, safe='')}"


def cancel(endpoint: str, job: str) -> str:
    """POST, without a body."""
    return f"/{quote(endpoint, safe='')}/cancel/{quote(job, safe='')}"


def health(endpoint: str) -> str:
    """GET: jobs and workers by state."""
    return f"/{quote(endpoint, safe='')}/health"


def one_endpoint(endpoint: str) -> str:
    """GET and PATCH; below RUNPOD_CONTROL_URL."""
    return f"{ENDPOINTS}/{quote(endpoint, safe='')}"


def console_page(endpoint: str) -> str:
    """Where people see the endpoint and its jobs."""
    return f"{CONSOLE}/{quote(endpoint, safe='')}"
