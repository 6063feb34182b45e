"""What a batch run tells Dagster of each partition; no word of a transcript is in it.

A run over explicit keys has no partition tags, so Dagster plans nothing: a partition shows as
failed where a planned event in a failed run has no materialization after it.
"""

from collections.abc import Callable, Iterable, Iterator

import dagster as dg

from pipelines.recordings import Recording

from .names import CHECKS, STAGES, VERSIONS
from .progress import Checked, Failed, Outcome, StageMade

Link = Callable[[str], dg.MetadataValue]  # of a key of the bucket
AnyEvent = dg.AssetMaterialization | dg.AssetObservation | dg.AssetCheckEvaluation


def events_of(outcome: Outcome, stage: str, link: Link, pointer: int | None) -> Iterator[AnyEvent]:
    """The materialization and the checks of a stage that stands; or what failed in it, and why.

    `pointer`: an event of Dagster's log not older than the materialization of the stage before.
    """
    for made in outcome.made:
        if made.stage == stage:
            yield _materialization(outcome.recording, made, link, pointer)
            yield from (_evaluation(outcome.recording, one) for one in made.checks)
    if outcome.failed is not None and outcome.failed.stage == stage:
        yield _observation(outcome.recording, outcome.failed, link)


def red_stages(outcome: Outcome, selected: Iterable[str]) -> list[str]:
    """The failed stage and those behind it, as far as they were wanted."""
    if outcome.failed is None:
        return []
    wanted = set(selected)
    return [s for s in STAGES[STAGES.index(outcome.failed.stage) :] if s in wanted]


def _materialization(
    recording: Recording, made: StageMade, link: Link, pointer: int | None
) -> dg.AssetMaterialization:
    metadata = {name: _value(value) for name, value in made.numbers.items()}
    metadata |= {
        "reused": dg.MetadataValue.bool(made.reused),
        "seconds": dg.MetadataValue.float(round(made.seconds, 4)),
        "log": link(recording.work_key("log.jsonl")),
    }
    metadata |= {key.rsplit("/", 1)[1]: link(key) for key in made.files}
    if made.warnings:
        told = "\n".join(f"- {warning.message}" for warning in made.warnings)
        metadata["warnings"] = dg.MetadataValue.md(told)
    return dg.AssetMaterialization(
        asset_key=made.stage,
        partition=recording.partition_key,
        metadata=metadata,
        tags=_versions(made, pointer),
    )


def _versions(made: StageMade, pointer: int | None) -> dict[str, str]:
    """All together or none: with fewer the UI calls the asset stale.

    Dagster compares what the stage before was at the pointer with what it is now.
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
    asset, says = CHECKS[checked.name]
    return dg.AssetCheckEvaluation(
        asset_key=dg.AssetKey(asset),
        check_name=checked.name,
        passed=checked.passed,
        severity=dg.AssetCheckSeverity.WARN,
        description=says,
        metadata={name: _value(value) for name, value in checked.numbers.items()},
        partition=recording.partition_key,
    )


def _observation(recording: Recording, failed: Failed, link: Link) -> dg.AssetObservation:
    return dg.AssetObservation(
        asset_key=failed.stage,
        partition=recording.partition_key,
        description=f"{failed.message} {failed.advice}",
        metadata={
            "stage": failed.stage,
            "code": failed.code,
            "error": failed.message,
            "what_to_do": failed.advice,
            "another_try_may_help": dg.MetadataValue.bool(not failed.permanent),
            "log": link(recording.work_key("log.jsonl")),
        },
    )


def _value(value: float | str | bool | None) -> dg.MetadataValue:  # noqa: FBT001  # a value, not a switch
    if value is None:
        return dg.MetadataValue.null()
    if isinstance(value, bool):
        return dg.MetadataValue.bool(value)
    if isinstance(value, int):
        return dg.MetadataValue.int(value)
    return dg.MetadataValue.float(value) if isinstance(value, float) else _text(value)


def _text(value: str) -> dg.MetadataValue:
    """As a link, a table or plain text."""
    if value.startswith("https://"):
        return dg.MetadataValue.url(value)
    return dg.MetadataValue.md(value) if "\n" in value else dg.MetadataValue.text(value)
