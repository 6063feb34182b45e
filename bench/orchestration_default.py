"""What a user of Dagster would write first: five assets, a run for each file, its own executor."""

import asyncio
import logging
import os

import dagster as dg

from assets.recordings.batch import run_batch
from assets.recordings.partitions import recordings_partitions
from assets.recordings.progress import LogProgress
from assets.recordings.run_context import open_run_context
from bench.instant import InstantBackend
from escriba.recordings import from_partition_key
from escriba.settings import load_settings
from escriba.stages import STAGES


def _asset(stage: str, upstream: list[str]) -> dg.AssetsDefinition:
    @dg.asset(name=stage, deps=upstream, partitions_def=recordings_partitions)
    def made(context: dg.AssetExecutionContext) -> None:
        import resources.gpu.open_engine  # noqa: PLC0415

        resources.gpu.open_engine.open_backends = lambda _: [InstantBackend()]
        recording = from_partition_key(context.partition_key)

        async def run() -> None:
            run_context = open_run_context(load_settings(), LogProgress(logging.getLogger("bench")))
            [outcome] = await run_batch(run_context, [recording], [stage])
            if outcome.failed:
                raise dg.Failure(outcome.failed.message)

        asyncio.run(run())

    return made


defs = dg.Definitions(
    assets=[_asset(stage, list(STAGES[i - 1 : i])) for i, stage in enumerate(STAGES)],
    jobs=[dg.define_asset_job("file_job", selection="*", partitions_def=recordings_partitions)],
)
os.environ.setdefault("DAGSTER_DISABLE_TELEMETRY", "yes")
