"""The paths of GCP Batch and of Compute Engine; no other module knows them.

Batch: cloud.google.com/batch/docs/reference/rest. Compute Engine, for `escriba doctor` alone:
cloud.google.com/compute/docs/reference/rest/v1.
"""

from urllib.parse import quote

CONSOLE = "https://console.cloud.google.com/batch/jobsDetail"


def jobs(project: str, region: str) -> str:
    """GET: the jobs of a region. POST with `jobId`: a new one. This and the next two: Batch."""
    return f"/v1/projects/{_part(project)}/locations/{_part(region)}/jobs"


def one_job(project: str, region: str, name: str) -> str:
    """GET and DELETE."""
    return f"{jobs(project, region)}/{_part(name)}"


def cancel(project: str, region: str, name: str) -> str:
    """POST: stop it and keep its record."""
    return f"{one_job(project, region, name)}:cancel"


def machine_types(project: str) -> str:
    """GET with `filter`: the zones that offer a machine type. This and the next: Compute Engine."""
    return f"/compute/v1/projects/{_part(project)}/aggregated/machineTypes"


def accelerator_types(project: str) -> str:
    """GET with `filter`: the zones that offer a GPU to be attached."""
    return f"/compute/v1/projects/{_part(project)}/aggregated/acceleratorTypes"


def one_region(project: str, region: str) -> str:
    """GET: the quotas of a region, used and granted."""
    return f"/compute/v1/projects/{_part(project)}/regions/{_part(region)}"


def console_page(project: str, region: str, name: str) -> str:
    """The page of a job in Google's console."""
    return f"{CONSOLE}/regions/{_part(region)}/jobs/{_part(name)}/details?project={_part(project)}"


def _part(text: str) -> str:
    return quote(text, safe="")
