"""The code location. Importing it makes no client, reads no secret and asks nobody."""

import logging

import dagster as dg

from assets.chain import recording_chain
from assets.progress import LogProgress

from .settings import load_settings

RECORDINGS_JOB = "recordings_job"


@dg.resource(description="Every setting, read when a run begins.")
def _settings(_context: dg.InitResourceContext) -> object:
    return load_settings()


@dg.resource(description="Tells of a run's progress in the log.")
def _progress(_context: dg.InitResourceContext) -> object:
    return LogProgress(logging.getLogger("escriba"))


def make_definitions(settings: object = _settings, progress: object = _progress) -> dg.Definitions:
    """The code location, with the resources of a caller who runs it in its own process."""
    return dg.Definitions(
        assets=[recording_chain],
        jobs=[
            dg.define_asset_job(
                RECORDINGS_JOB,
                selection=dg.AssetSelection.assets(recording_chain),
                description="The recordings in its config; what stands is not done again.",
            )
        ],
        resources={"settings": settings, "progress": progress},
        executor=dg.in_process_executor,  # the default spawns a process for each step
    )


defs = make_definitions()
