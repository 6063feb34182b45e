"""Transcription overrides and tags from the options of `escriba add`, checked before a copy."""

from collections.abc import Callable
from typing import TypeVar

import click

from escriba.audio.track_names import check_track
from escriba.billing.cost_tags import Tags, check_tag
from escriba.initial_prompt import check_prompt
from escriba.languages import check_candidates, check_language
from escriba.model_names import AUTO, model_named
from escriba.recordings import NameRefusedError, check_tenant
from escriba.settings import Settings
from gpu_job.contract import Speakers
from gpu_job.contract.translation_support import cannot_translate
from intake.recording_options import tenant_options
from intake.transcription_overrides import TranscriptionOverrides, check_speakers
from resources.gpu.registry import open_backends

Given = TypeVar("Given")


def tags_of(cost_center: str | None, project: str | None) -> Tags:
    """Return the tags of --cost-center and --project.

    Raises:
        click.UsageError: a value is not a valid tag.
    """
    return Tags(
        cost_center=_checked("--cost-center", cost_center, check_tag),
        project=_checked("--project", project, check_tag),
    )


def check_tenant_name(tenant: str) -> str:
    """Return the tenant's name.

    Raises:
        click.UsageError: the name is not valid.
    """
    try:
        check_tenant(tenant)
    except NameRefusedError as error:
        raise click.UsageError(str(error)) from error
    return tenant


def overrides_from_options(  # noqa: PLR0913  # one for each option
    *,
    language: str | None,
    languages: str | None,
    speakers: int | None,
    min_speakers: int | None,
    max_speakers: int | None,
    channels: str | None,
    track: str | None,
    hotwords: str | None,
    prompt: str | None,
    translate: bool | None,
    model: str | None,
) -> TranscriptionOverrides:
    """Return the options as transcription overrides.

    Raises:
        click.UsageError: an option is wrong, or two contradict each other.
    """
    if languages and language not in {None, AUTO}:
        raise click.UsageError(
            "--languages lists candidates for --language auto. Give --language or --languages, "
            "not both."
        )
    values = {
        "language": _checked("--language", language, check_language),
        "languages": _checked("--languages", languages, _candidates),
        "hotwords": hotwords,
        "initial_prompt": _checked("--prompt", prompt, check_prompt),
        "translate": translate,
        "channels": channels,
        "track": _checked("--track", track, check_track),
        "speakers": _speakers(speakers, min_speakers, max_speakers),
        "model": _checked("--model", model, _model),
    }
    return TranscriptionOverrides.model_validate(values)


def unsupported(overrides: TranscriptionOverrides, tenant: str, settings: Settings) -> str:
    """Return a warning about options that no backend or model supports; empty if all are fine."""
    job = tenant_options(tenant, settings, overrides).job
    sentences = []
    if job.task == "translate":
        why = cannot_translate(job.model)
        if why:
            sentences.append(
                f"--translate: MODEL={job.model} cannot translate into English: {why}. Use "
                "--model medium or large-v3."
            )
    backends = open_backends(settings) if overrides.model else None
    supported: list[frozenset[str] | None] = (
        [None] if backends is None else [one.capabilities.models for one in backends]
    )
    if all(models is not None and job.model not in models for models in supported):
        loaded = ", ".join(sorted({name for models in supported for name in models or ()}))
        sentences.append(
            f"--model: no configured backend can run {job.model}; they have {loaded}. Set "
            "LOCAL_FALLBACK=true to run it on this machine."
        )
    return " ".join(sentences)


def _checked(option: str, value: str | None, check: Callable[[str], Given]) -> Given | None:
    try:
        return None if value is None else check(value)
    except ValueError as error:
        raise click.UsageError(f"{option}: {error}") from error


def _candidates(text: str) -> tuple[str, ...]:
    return check_candidates(code.strip() for code in text.split(",") if code.strip())


def _model(name: str) -> str:
    """Return a model's folder as an absolute path, since the run may start in another folder."""
    if name == AUTO:
        return name
    found = model_named(name)
    return str(found.folder.resolve()) if found.folder else name


def _speakers(exact: int | None, minimum: int | None, maximum: int | None) -> Speakers | None:
    if exact is None and minimum is None and maximum is None:
        return None
    if exact is not None and not minimum == maximum is None:
        raise click.UsageError(
            "--speakers sets the exact number: remove --min-speakers and --max-speakers."
        )
    speakers = Speakers(exact=exact, minimum=minimum, maximum=maximum)
    try:
        check_speakers(speakers)
    except ValueError as error:
        raise click.UsageError(
            f"--min-speakers {minimum} is greater than --max-speakers {maximum}."
        ) from error
    return speakers
