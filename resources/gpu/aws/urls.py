"""Pages of the AWS console; no other module knows them."""

from urllib.parse import quote


def job_page(region: str, job: str) -> str:
    """The page of a job of AWS Batch: its attempts, its machine, and a link to its log stream."""
    return _page(region, f"jobs/detail/{quote(job, safe='')}")


def _page(region: str, fragment: str) -> str:
    return f"https://{region}.console.aws.amazon.com/batch/home?region={region}#{fragment}"
