from pydantic import Field, SecretStr

from .base import SettingsGroup
from .field_types import HeaderKey, PlainUrl


class PyannoteAiSettings(SettingsGroup):
    """The pyannote_ai backend: pyannoteAI's service, which finds speakers."""

    pyannote_ai_api_key: HeaderKey = Field(
        SecretStr(""), description="pyannoteAI: API key; audio goes to this third party."
    )
    pyannote_ai_model: str = Field(
        "precision-2",
        description="pyannoteAI: model, as the price book names it; another one finds other "
        "speakers, in another job.",
    )
    pyannote_ai_url: PlainUrl = Field(
        "https://api.pyannote.ai/v1", description="pyannoteAI: API to which jobs are submitted."
    )
    pyannote_ai_upload: bool = Field(
        default=False,
        description="pyannoteAI: upload the audio, which it keeps for one or two days, instead of "
        "passing on the bucket's signed URL; needed if the internet cannot reach the bucket.",
    )
    pyannote_ai_jobs_at_once: int = Field(
        8,
        ge=1,
        le=50,
        description="pyannoteAI: jobs that run concurrently. Each has a small process here, and "
        "with 50 of them the reads reach the account's limit of 300 a minute.",
    )
    pyannote_ai_poll_seconds: float = Field(
        10.0, gt=0, description="pyannoteAI: seconds between two looks at a job that runs."
    )
