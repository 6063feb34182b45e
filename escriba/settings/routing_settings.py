from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from escriba.backend_names import BACKENDS, SPEAKERS_ALONE

from .base import SettingsGroup


def _check_backend(name: str) -> str:
    if name in SPEAKERS_ALONE:
        raise ValueError(f"{name} does not transcribe: name it in SPEAKERS_BACKEND")
    if name not in {"auto", *BACKENDS}:
        known = ", ".join(one for one in BACKENDS if one not in SPEAKERS_ALONE)
        raise ValueError(f"this version has no backend {name!r}; it has {known}, or 'auto'")
    return name


class RoutingSettings(SettingsGroup):
    """Which backend gets a job, and how long and how often it is tried."""

    primary_backend: Annotated[str, AfterValidator(_check_backend)] = Field(
        "auto",
        description="Preferred backend, such as local or runpod. It gets every job that it can run "
        "while it is healthy and within budget. `auto`: no preference.",
    )
    backend_selection_priority: Literal["cost", "latency", "quality"] = Field(
        "cost",
        description="How the other backends are ranked by their quotes: by cost, latency or "
        "quality.",
    )
    local_fallback: bool = Field(
        default=False,
        description="Allow this machine to take over jobs from other backends, even on its CPU.",
    )
    queue_limit_seconds: int = Field(
        21_600,
        ge=60,
        description="Seconds after which a job that no worker has taken is submitted again.",
    )
    max_attempts: int = Field(
        3, ge=1, description="Failed attempts allowed for one job; a crashed worker counts as one."
    )
    job_timeout_seconds: int = Field(
        7_200, ge=60, description="Seconds after which a running job is considered dead."
    )
