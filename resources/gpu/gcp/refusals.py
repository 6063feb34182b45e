"""What a refusal of Google means, and what to do."""

from resources.http.json_requests import RefusedError

_FORBIDDEN = 403
_API_OFF = ("disabled", "not been used")


def advice(refused: RefusedError, project: str) -> str:
    """The error text for a request that Google refuses."""
    if any(words in refused.text for words in _API_OFF):
        return (
            f"The Batch API of project {project!r} is disabled. Enable it: gcloud services enable "
            f"batch.googleapis.com --project {project}"
        )
    if refused.status == _FORBIDDEN:
        return (
            f"Google does not allow it ({refused}). Grant the orchestrator's account the roles "
            f"roles/batch.jobsEditor on project {project!r} and roles/iam.serviceAccountUser on "
            "GCP_BATCH_SERVICE_ACCOUNT."
        )
    if refused.is_key:
        return (
            f"Google refuses the credentials (HTTP {refused.status}). Check "
            "GOOGLE_APPLICATION_CREDENTIALS."
        )
    if refused.is_unknown:
        return (
            f"Google knows no such project or region ({refused}). Check GCP_PROJECT and "
            "GCP_BATCH_REGIONS."
        )
    return f"GCP Batch refuses the request ({refused}). Run `escriba doctor` to check the settings."
