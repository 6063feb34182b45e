"""What somebody wishes for the files that are added: checked before one is copied."""

from collections.abc import Callable
from typing import TypeVar

import click

from assets.options import tenant_options
from assets.wishes import Wishes, check_speakers
from gpu_job.contract import Speakers
from gpu_job.translating import cannot_translate
from pipelines.billing.tags import Tags, check_tag
from pipelines.languages import check_candidates, check_language
from pipelines.prompts import check_prompt
from pipelines.recordings import NameRefusedError, check_tenant
from pipelines.settings import Settings
from pipelines.speech_models import AUTO, model_named
from pipelines.track_names import check_track
from resources.gpu.registry import open_backends

Given = TypeVar("Given")


def tags_of(cost_center: str | None, project: str | None) -> Tags:
    """--cost-center and --project; click.UsageError where one can be none."""
    return Tags(
        cost_center=_checked("--cost-center", cost_center, check_tag),
        project=_checked("--project", project, check_tag),
    )


def check_name(tenant: str) -> str:
    """A tenant's name; click.UsageError where it can be none."""
    try:
        check_tenant(tenant)
    except NameRefusedError as error:
        raise click.UsageError(str(error)) from error
    return tenant


def wishes_of(  # noqa: PLR0913  # one for each option
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
) -> Wishes:
    """The options as wishes.

    Raises:
        click.UsageError: names the option that is wrong, or those that contradict one another.
    """
    if languages and language not in {None, AUTO}:
        raise click.UsageError("--languages are candidates for --language auto: say one of the two")
    told = {
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
    return Wishes.model_validate(told)


def doubtful(wishes: Wishes, tenant: str, settings: Settings) -> str:
    """What cannot come of it, in a sentence; empty where all is well."""
    job = tenant_options(tenant, settings, wishes).job
    sentences = []
    if job.task == "translate":
        why = cannot_translate(job.model)
        if why:
            sentences.append(
                f"--translate: MODEL={job.model} will write no English, since {why}: take "
                "--model medium or large-v3."
            )
    can = [one.capabilities.models for one in open_backends(settings)] if wishes.model else [None]
    if all(models is not None and job.model not in models for models in can):
        loaded = ", ".join(sorted({name for models in can for name in models or ()}))
        sentences.append(
            f"--model: no backend that is set up can run {job.model}; they have loaded {loaded}. "
            "LOCAL_FALLBACK=true lets this machine do it."
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
    """A folder by its full path, since the run may begin in another one."""
    if name == AUTO:
        return name
    found = model_named(name)
    return str(found.folder.resolve()) if found.folder else name


def _speakers(exact: int | None, minimum: int | None, maximum: int | None) -> Speakers | None:
    if exact is None and minimum is None and maximum is None:
        return None
    if exact is not None and not minimum == maximum is None:
        raise click.UsageError(
            "--speakers says how many speak: leave out --min- and --max-speakers"
        )
    speakers = Speakers(exact=exact, minimum=minimum, maximum=maximum)
    try:
        check_speakers(speakers)
    except ValueError as error:
        raise click.UsageError(
            f"--min-speakers {minimum} is more than --max-speakers {maximum}"
        ) from error
    return speakers
