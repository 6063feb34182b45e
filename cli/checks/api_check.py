"""Checks that an OpenAI-compatible API matches the settings."""

import asyncio
from collections.abc import Iterator
from typing import TYPE_CHECKING

from escriba.backend_names import OPENAI
from escriba.settings import Settings

from .finding import Finding

if TYPE_CHECKING:
    from gpu_job.contract.api_presets import ApiPreset

_WHAT = "OpenAI-compatible API"


def api(settings: Settings) -> Iterator[Finding]:
    """Check key, server, model, limits and end of life; yields nothing without settings."""
    has_key = bool(settings.openai_api_key.get_secret_value())
    if not settings.openai_model:
        if has_key:
            found = "a key is set, but no model, so the API gets no jobs"
            advice = "Set OPENAI_MODEL, such as gpt-transcribe (docs/backends/openai.md)."
            yield Finding(what=_WHAT, state="odd", found=found, advice=advice)
        return
    from resources.gpu.backends.openai import is_set_up, preset_in

    preset = preset_in(settings)
    if not is_set_up(settings):
        found = f"OPENAI_MODEL={preset.model} is set, but no key for {preset.host}"
        advice = "Set OPENAI_API_KEY, or OPENAI_IS_OWN_SERVER=yes for a server that needs none."
        yield Finding(what=_WHAT, state="broken", found=found, advice=advice)
        return
    yield asyncio.run(_health(settings, preset))
    yield from _end_of_life(preset)
    yield from _model(settings, preset)
    yield Finding(what=_WHAT, state="well", found=_limits(preset))


async def _health(settings: Settings, preset: "ApiPreset") -> Finding:
    """Ask for the list of models, as the router does."""
    from resources.gpu.api_workers.api_health import ApiHealth

    key = settings.openai_api_key.get_secret_value()
    health = await ApiHealth(settings.openai_base_url, key, preset).health()
    state = {"well": "well", "degraded": "odd", "down": "broken"}[health.state]
    found = health.reason or f"{preset.host} answers, and offers {preset.model}"
    advice = "" if state == "well" else "Check OPENAI_BASE_URL, OPENAI_API_KEY and OPENAI_MODEL."
    return Finding.model_validate({"what": _WHAT, "state": state, "found": found, "advice": advice})


def _end_of_life(preset: "ApiPreset") -> Iterator[Finding]:
    from resources.gpu.api_workers.api_health import end_of_life, today

    text = end_of_life(preset, today())
    if text:
        over = preset.ends_on is not None and today() >= preset.ends_on
        yield Finding(
            what=_WHAT,
            state="broken" if over else "odd",
            found=text,
            advice="Choose another model (docs/backends/openai.md has a table).",
        )


def _model(settings: Settings, preset: "ApiPreset") -> Iterator[Finding]:
    """Report a MODEL that the API does not offer: its jobs never go there."""
    from resources.gpu.backends.openai import capabilities_of
    from resources.gpu.model_choice import model_of

    offered, asked = capabilities_of(preset, settings).models or frozenset(), model_of(settings)
    if asked not in offered:
        found = f"jobs ask for {asked}, and the API offers {', '.join(sorted(offered))}"
        advice = f"Set MODEL={min(offered, key=len)}, or give {OPENAI} another OPENAI_MODEL."
        yield Finding(what=_WHAT, state="odd", found=found, advice=advice)


def _limits(preset: "ApiPreset") -> str:
    times = {"word": "times of words", "segment": "times of segments", "none": "no times"}
    ends = f"; ends on {preset.ends_on}" if preset.ends_on else ""
    return (
        f"{preset.model}: {times[preset.times]}; pieces of up to {preset.piece_seconds:,.0f} s "
        f"and {preset.max_bytes / 1e6:,.0f} MB; price of {OPENAI}/{preset.sku}{ends}"
    )
