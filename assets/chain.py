"""The chain: five assets of a recording, made by one run for up to BATCH_SIZE recordings."""

import warnings
from collections.abc import Iterator, Mapping
from typing import Any

import dagster as dg
from pydantic import Field

from pipelines.recordings import NameRefusedError, Recording, from_partition_key
from pipelines.settings import Settings  # noqa: TC001  # the asset names its type
from resources.memory import keep_small

from .event_writer import open_writer
from .interrupts import run_until_interrupted
from .names import (
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
from .partitions import recordings_partitions
from .progress import Outcome, Progress

KEYS_OF_A_BACKFILL_RUN = 500
FORCE_TAG = "escriba/force"
_DESCRIPTIONS = (
    "The user's file, hashed, probed and validated.",
    "Mono 16 kHz audio and the regions in which somebody speaks; made on the CPU.",
    "Words with times, and turns of speakers: one job, paid once.",
    "Words with their speakers, as JSON, text, subtitles, tables, a Word document and RTTM.",
    "What the recording cost, all attempts together.",
)
_KINDS = {
    RAW_AUDIO: {"audio"},
    OPTIMIZED_AUDIO: {"audio", "flac"},
    TRANSCRIPT: {"whisper", "json"},
    DIARIZED_TRANSCRIPT: {"json", "text"},
    COST_METRICS: {"parquet"},
}


class BatchConfig(dg.Config):
    """Which recordings and stages; a run from the UI has none and takes its partitions.

    Explicit keys go with `stages`, not with a choice of assets: without partition tags Dagster
    cannot look up the versions of assets that are left out, and fails the run before it begins.
    """

    keys: list[str] = Field(default_factory=list, description="Partition keys of this run.")
    stages: list[str] = Field(default_factory=list, description="Only these; empty: all chosen.")
    retry: bool = Field(default=False, description="Allow MAX_ATTEMPTS again for failed jobs.")


def _check_specs() -> list[dg.AssetCheckSpec]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dg.PreviewWarning)  # partitions of checks
        return [
            dg.AssetCheckSpec(
                name, asset=asset, description=says, partitions_def=recordings_partitions
            )
            for name, (asset, says) in CHECKS.items()
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
def recording_chain(context: dg.AssetExecutionContext, config: BatchConfig) -> Iterator[Any]:
    """Every recording goes its own way; success and failure are recorded for each."""
    # a server that only shows the assets need not load codecs and stores
    from .batch import run_batch  # noqa: PLC0415
    from .links import linker  # noqa: PLC0415
    from .workshop import open_workshop  # noqa: PLC0415

    keep_small()
    settings: Settings = context.resources.settings
    progress: Progress = context.resources.progress
    selected = {key.to_user_string() for key in context.selected_asset_keys}
    selected &= set(config.stages or STAGES)
    recordings, strangers = _recordings(config.keys or list(context.partition_keys))

    async def run() -> list[Outcome]:
        workshop = open_workshop(
            settings,
            progress,
            retry=config.retry,
            forced=_forced(context.run.tags),
            run_id=context.run.run_id,
        )
        async with open_writer(context, selected, linker(settings, workshop.storage)) as events:
            return await run_batch(workshop, recordings, selected, events.add)

    outcomes = run_until_interrupted(run())
    deferred = [outcome for outcome in outcomes if outcome.is_deferred]
    failed = [one for one in outcomes if one.failed is not None and not one.is_deferred]
    if deferred:
        context.log.info(_deferral(deferred))
    if failed or strangers:
        raise _failure(failed, strangers, len(outcomes) + len(strangers))
    yield from ()


def _forced(tags: Mapping[str, str]) -> list[str]:
    """The stages that the run's tag names, apart by commas.

    Raises:
        Failure: one of them is no stage.
    """
    named = [name.strip() for name in tags.get(FORCE_TAG, "").split(",") if name.strip()]
    unknown = [name for name in named if name not in STAGES]
    if unknown:
        raise dg.Failure(
            f"{FORCE_TAG}: {unknown[0]!r} is no asset of the chain; name one of "
            f"{', '.join(STAGES)}, or several, apart by commas.",
            allow_retries=False,
        )
    return named


def _recordings(keys: list[str]) -> tuple[list[Recording], dict[str, str]]:
    """The recordings of the keys; keys that name none, and why."""
    recordings: list[Recording] = []
    strangers: dict[str, str] = {}
    for key in dict.fromkeys(keys):
        try:
            recordings.append(from_partition_key(key))
        except NameRefusedError as error:
            strangers[key] = str(error)
    return recordings, strangers


def _deferral(deferred: list[Outcome]) -> str:
    lines = [f"{one.recording.name}: {one.failed.message}" for one in deferred if one.failed]
    return "\n".join([f"{len(lines)} deferred, to be taken up when the budget allows it:", *lines])


def _failure(failed: list[Outcome], strangers: dict[str, str], total: int) -> dg.Failure:
    lines = ["| recording | stage | what | what to do |", "| --- | --- | --- | --- |"]
    lines += [
        f"| {_cell(o.recording.name)} | {o.failed.stage} | {_cell(o.failed.message)} "
        f"| {_cell(o.failed.advice)} |"
        for o in failed
        if o.failed is not None
    ]
    lines += [
        f"| {_cell(key)} | | {_cell(why)} | Delete this partition. |"
        for key, why in strangers.items()
    ]
    return dg.Failure(
        f"{len(failed) + len(strangers)} of {total} recordings failed; the others are done.",
        metadata={"failed": dg.MetadataValue.md("\n".join(lines))},
        allow_retries=False,
    )


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
