"""The chain: the five assets of a recording, made by one run for up to BATCH_SIZE recordings."""

import warnings
from collections.abc import Iterator, Mapping
from typing import Any

import dagster as dg
from pydantic import Field

from escriba.masked_errors import masks_errors
from escriba.recordings import NameRefusedError, Recording, from_partition_key
from escriba.settings import Settings  # noqa: TC001  # the asset names its type
from escriba.stages import (
    CHAIN,
    CHECKS,
    COST_METRICS,
    DIARIZED_TRANSCRIPT,
    OPTIMIZED_AUDIO,
    RAW_AUDIO,
    STAGES,
    TRANSCRIPT,
    VERSIONS,
)
from escriba.text_for.markdown import markdown_row
from escriba.text_for.plain_lines import log_line
from resources.process_memory import limit_memory

from .event_writer import open_writer
from .interrupts import run_until_interrupted
from .partitions import recordings_partitions
from .progress import Progress, RecordingOutcome

KEYS_OF_A_BACKFILL_RUN = 500
FORCE_TAG = "escriba/force"
_DESCRIPTIONS = (
    "The uploaded file: hashed, probed and validated.",
    "Mono 16 kHz audio and its speech regions; made on the CPU.",
    "Words with times, and speaker turns, from one or two jobs that are paid for once.",
    "Words with their speakers as JSON, text, subtitles, tables, a Word document and RTTM.",
    "The cost of the recording, summed over all attempts.",
)
_KINDS = {
    RAW_AUDIO: {"audio"},
    OPTIMIZED_AUDIO: {"audio", "flac"},
    TRANSCRIPT: {"whisper", "json"},
    DIARIZED_TRANSCRIPT: {"json", "text"},
    COST_METRICS: {"parquet"},
}


class BatchConfig(dg.Config):
    """The recordings and stages of a run; a run from the UI has no config and uses its partitions.

    Explicit keys go with `stages`, not with an asset selection: without partition tags Dagster
    cannot look up the versions of unselected assets, and fails the run before it starts.
    """

    keys: list[str] = Field(
        default_factory=list,
        description="Partition keys of the recordings to process; empty: the run's partitions.",
    )
    stages: list[str] = Field(
        default_factory=list, description="Stages to run; empty: all selected assets."
    )
    retry: bool = Field(
        default=False, description="Give failed jobs MAX_ATTEMPTS further attempts."
    )


def _check_specs() -> list[dg.AssetCheckSpec]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dg.PreviewWarning)  # partitions of checks
        return [
            dg.AssetCheckSpec(
                name, asset=asset, description=text, partitions_def=recordings_partitions
            )
            for name, (asset, text) in CHECKS.items()
        ]


@dg.multi_asset(
    name=CHAIN,
    specs=[
        dg.AssetSpec(
            name,
            deps=STAGES[i - 1 : i] if i else [],
            skippable=True,
            description=_DESCRIPTIONS[i],
            group_name="recordings",
            owners=["team:transcription"],
            kinds=_KINDS[name],
            code_version=str(VERSIONS[name]),
            partitions_def=recordings_partitions,
        )
        for i, name in enumerate(STAGES)
    ],
    check_specs=_check_specs(),
    partitions_def=recordings_partitions,
    can_subset=True,
    backfill_policy=dg.BackfillPolicy.multi_run(KEYS_OF_A_BACKFILL_RUN),
    required_resource_keys={"settings", "progress"},
)
@masks_errors
def recording_chain(context: dg.AssetExecutionContext, config: BatchConfig) -> Iterator[Any]:
    """Process each recording independently, and record its success or failure."""
    # a process that only shows the assets does not load codecs and stores
    from .batch import run_batch  # noqa: PLC0415
    from .file_urls import linker  # noqa: PLC0415
    from .run_context import open_run_context  # noqa: PLC0415

    limit_memory()
    settings: Settings = context.resources.settings
    progress: Progress = context.resources.progress
    selected = {key.to_user_string() for key in context.selected_asset_keys}
    selected &= set(config.stages or STAGES)
    recordings, invalid_keys = _recordings(config.keys or list(context.partition_keys))

    forced, run_id = _forced(context.run.tags), context.run.run_id

    async def run() -> list[RecordingOutcome]:
        run_context = open_run_context(
            settings, progress, retry=config.retry, forced=forced, run_id=run_id
        )
        async with open_writer(context, selected, linker(settings, run_context.storage)) as events:
            return await run_batch(run_context, recordings, selected, events.add)

    _report(context, run_until_interrupted(run()), invalid_keys)
    yield from ()


def _report(
    context: dg.AssetExecutionContext,
    outcomes: list[RecordingOutcome],
    invalid_keys: dict[str, str],
) -> None:
    """Log the deferred recordings; raises Failure if a recording failed or a key is not valid."""
    deferred = [outcome for outcome in outcomes if outcome.is_deferred]
    failed = [one for one in outcomes if one.failed is not None and not one.is_deferred]
    if deferred:
        context.log.info(_deferral(deferred))
    if failed or invalid_keys:
        raise _failure(failed, invalid_keys, len(outcomes) + len(invalid_keys))


def _forced(tags: Mapping[str, str]) -> list[str]:
    """The stages in the run's tag, a comma-separated list.

    Raises:
        Failure: one of them is not a stage.
    """
    named = [name.strip() for name in tags.get(FORCE_TAG, "").split(",") if name.strip()]
    unknown = [name for name in named if name not in STAGES]
    if unknown:
        raise dg.Failure(
            f"The tag {FORCE_TAG} names {unknown[0]!r}, which is not an asset of a recording. "
            f"Use a comma-separated list of {', '.join(STAGES)}.",
            allow_retries=False,
        )
    return named


def _recordings(keys: list[str]) -> tuple[list[Recording], dict[str, str]]:
    """The recordings of the keys, and the keys that are not valid, each with the reason."""
    recordings: list[Recording] = []
    invalid: dict[str, str] = {}
    for key in dict.fromkeys(keys):
        try:
            recordings.append(from_partition_key(key))
        except NameRefusedError as error:
            invalid[key] = str(error)
    return recordings, invalid


def _deferral(deferred: list[RecordingOutcome]) -> str:
    lines = [
        log_line(f"{one.recording.name}: {one.failed.message}") for one in deferred if one.failed
    ]
    return "\n".join([f"{len(lines)} deferred until the budget allows them:", *lines])


def _failure(
    failed: list[RecordingOutcome], invalid_keys: dict[str, str], total: int
) -> dg.Failure:
    lines = ["| recording | stage | error | what to do |", "| --- | --- | --- | --- |"]
    lines += [
        markdown_row(o.recording.name, o.failed.stage, o.failed.message, o.failed.advice)
        for o in failed
        if o.failed is not None
    ]
    lines += [
        markdown_row(key, "", reason, "Delete this partition.")
        for key, reason in invalid_keys.items()
    ]
    return dg.Failure(
        f"{len(failed) + len(invalid_keys)} of {total} recordings failed; the others are done.",
        metadata={"failed": dg.MetadataValue.md("\n".join(lines))},
        allow_retries=False,
    )
