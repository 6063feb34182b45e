from typing import Literal

from pydantic import Field, SecretStr

from .base import SettingsGroup
from .field_types import HeaderKey, PlainUrl


class OpenaiSettings(SettingsGroup):
    """The openai backend: any API with OpenAI's `/audio/transcriptions`, or a server like it."""

    openai_api_key: HeaderKey = Field(
        SecretStr(""), description="OpenAI-compatible API: key. A server of your own may need none."
    )
    openai_base_url: PlainUrl = Field(
        "https://api.openai.com/v1",
        description="OpenAI-compatible API: its URL, such as https://api.groq.com/openai/v1 or "
        "http://localhost:8000/v1.",
    )
    openai_model: str = Field(
        "",
        description="OpenAI-compatible API: model, as the API calls it, such as whisper-1 or "
        "whisper-large-v3-turbo. Empty: no job goes there.",
    )
    openai_is_own_server: Literal["auto", "yes", "no"] = Field(
        "auto",
        description="OpenAI-compatible API: whether it is a server of your own, which is "
        "neither billed nor a third party. `auto`: yes for a loopback or private address.",
    )
    openai_regions: str = Field(
        "",
        description="OpenAI-compatible API: comma-separated regions where it processes audio, for "
        "tenants that permit only some. Empty: unknown.",
    )
    openai_jobs_at_once: int = Field(
        4,
        ge=1,
        description="OpenAI-compatible API: recordings in progress; each one has a process of "
        "about 150 MB, and one request at a time.",
    )
    openai_times: Literal["auto", "word", "segment", "none"] = Field(
        "auto",
        description="OpenAI-compatible API: the finest times that it gives. `auto`: as known of "
        "the API; none for an unknown one.",
    )
    openai_max_bytes: int = Field(
        0,
        ge=0,
        description="OpenAI-compatible API: largest file of one request, in bytes. 0: as known of "
        "the API, else 25,000,000.",
    )
    openai_max_seconds: int = Field(
        0,
        ge=0,
        description="OpenAI-compatible API: longest audio of one request, in seconds. 0: as known "
        "of the API, else 600.",
    )
    openai_align_model: str = Field(
        "auto",
        description="OpenAI-compatible API: Whisper model on this machine that finds the times of "
        "words where the API gives none. `auto`: one that was downloaded; `none`: estimate them.",
    )
