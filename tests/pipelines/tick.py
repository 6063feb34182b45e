"""One tick of Dagster's sensor daemon in its own process, which can be killed at a step.

python tests/pipelines/tick.py SENSOR SECONDS_FROM_NOW [STEP]
"""

import logging
import signal
import sys
import time
from pathlib import Path

import dagster as dg
from dagster._core.remote_origin import InProcessCodeLocationOrigin
from dagster._core.test_utils import InProcessTestWorkspaceLoadTarget, freeze_time
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin
from dagster._core.workspace.context import WorkspaceProcessContext
from dagster._daemon.sensor import execute_sensor_iteration

HOUSE = Path(__file__).resolve().parents[2]


def main(sensor: str, seconds: float, step: str = "") -> None:
    """Run all due sensors; kill this process with SIGKILL when `sensor` reaches `step`."""
    origin = InProcessCodeLocationOrigin(
        LoadableTargetOrigin(
            executable_path=sys.executable,
            module_name="pipelines.definitions",
            working_directory=str(HOUSE),
        ),
        location_name="escriba",
    )
    crash = {sensor: {step: signal.SIGKILL}} if step else None
    with (
        dg.DagsterInstance.get() as instance,
        freeze_time(time.time() + seconds),
        WorkspaceProcessContext(instance, InProcessTestWorkspaceLoadTarget(origin)) as workspace,
    ):
        turn = execute_sensor_iteration(
            workspace, logging.getLogger("daemon"), None, None, debug_crash_flags=crash
        )
        for error in turn:
            if error is not None:
                raise RuntimeError(error.to_string())


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]), *sys.argv[3:])
