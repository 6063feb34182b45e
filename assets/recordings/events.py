"""The events that a run reports to Dagster for each partition; they contain no transcript text.

A run over explicit keys has no partition tags, so Dagster plans nothing: a partition shows as
failed if a planned event in a failed run has no materialization after it.
"""

from collections.abc import Callable, Iterable, Iterator

import dagster as dg

from escriba.known_secrets import masked
from escriba.recordings import Recording
from escriba.stages import CHECKS, STAGES, VERSIONS
from escriba.text_for.markdown import markdown
from escriba.text_for.visible import visible

from .progress import Checked, Failed, RecordingOutcome, StageMade

IN_MARKDOWN = ("route", "speakers_route")  # escriba.billing.routing writes them
LINKS = ("console", "speakers_console")  # our backends make them
Link = Callable[[str], dg.MetadataValue]  # from a key of the bucket to a link
AnyEvent = dg.AssetMaterialization | dg.AssetObservation | dg.AssetCheckEvaluation


def events_of(
    outcome: RecordingOutcome, stage: str, link: Link, pointer: int | None
) -> Iterator[AnyEvent]:
    """The materialization and checks of a stage that is up to date, or its failure.

    `pointer`: ID of an event that is not older than the materialization of the stage before.
    """
    for made in outcome.made:
        if made.stage == stage:
            yield _materialization(outcome.recording, made, link, pointer)
            yield from (_evaluation(outcome.recording, check) for check in made.checks)
    if outcome.failed is not None and outcome.failed.stage == stage:
        yield _observation(outcome.recording, outcome.failed, link)


def failed_stages(outcome: RecordingOutcome, selected: Iterable[str]) -> list[str]:
    """The failed stage and those after it, as far as they were selected."""
    if outcome.failed is None:
        return []
    selected = set(selected)
    return [s for s in STAGES[STAGES.index(outcome.failed.stage) :] if s in selected]


def _materialization(
    recording: Recording, made: StageMade, link: Link, pointer: int | None
) -> dg.AssetMaterialization:
    metadata = {name: named_value(name, value) for name, value in made.numbers.items()}
    metadata |= {
        "reused": dg.MetadataValue.bool(made.reused),
        "seconds": dg.MetadataValue.float(round(made.seconds, 4)),
        "log": link(recording.work_key("log.jsonl")),
    }
    metadata |= {key.rsplit("/", 1)[1]: link(key) for key in made.files}
    if made.warnings:
        messages = "\n".join(f"- {markdown(warning.message)}" for warning in made.warnings)
        metadata["warnings"] = dg.MetadataValue.md(messages)
    return dg.AssetMaterialization(
        asset_key=made.stage,
        partition=recording.partition_key,
        metadata=metadata,
        tags=_versions(made, pointer),
    )


def _versions(made: StageMade, pointer: int | None) -> dict[str, str]:
    """All version tags together: with only some of them the UI calls the asset stale.

    Dagster compares the version of the stage before at the pointer with its version now.
    """
    tags = {
        "dagster/code_version": str(VERSIONS[made.stage]),
        "dagster/data_version": made.version,
    }
    at = STAGES.index(made.stage)
    if at:
        tags[f"dagster/input_data_version/{STAGES[at - 1]}"] = made.made_from
        tags[f"dagster/input_event_pointer/{STAGES[at - 1]}"] = str(pointer or "NULL")
    return tags


def _evaluation(recording: Recording, checked: Checked) -> dg.AssetCheckEvaluation:
    asset, description = CHECKS[checked.name]
    return dg.AssetCheckEvaluation(
        asset_key=dg.AssetKey(asset),
        check_name=checked.name,
        passed=checked.passed,
        severity=dg.AssetCheckSeverity.WARN,
        description=description,
        metadata={name: _value(value) for name, value in checked.numbers.items()},
        partition=recording.partition_key,
    )


def _observation(recording: Recording, failed: Failed, link: Link) -> dg.AssetObservation:
    return dg.AssetObservation(
        asset_key=failed.stage,
        partition=recording.partition_key,
        description=visible(f"{failed.message} {failed.advice}"),
        metadata={
            "stage": failed.stage,
            "code": failed.code,
            "error": visible(failed.message),
            "what_to_do": visible(failed.advice),
            "retry_may_help": dg.MetadataValue.bool(not failed.permanent),
            "log": link(recording.work_key("log.jsonl")),
        },
    )


def named_value(name: str, value: float | str | bool | None) -> dg.MetadataValue:  # noqa: FBT001
    """The value as Dagster shows and keeps it; only what we wrote is Markdown or a link."""
    if value and name in IN_MARKDOWN:
        return dg.MetadataValue.md(masked(str(value)))
    if name in LINKS and str(value).startswith("https://"):
        return dg.MetadataValue.url(masked(str(value)))
    return _value(value)


def _value(value: float | str | bool | None) -> dg.MetadataValue:  # noqa: FBT001  # a value, not a switch
    if value is None:
        return dg.MetadataValue.null()
    if isinstance(value, bool):
        return dg.MetadataValue.bool(value)
    if isinstance(value, int):
        return dg.MetadataValue.int(value)
    if isinstance(value, float):
        return dg.MetadataValue.float(value)
    return dg.MetadataValue.text(visible(masked(value)))
