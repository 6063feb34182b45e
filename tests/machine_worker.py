"""A machine that processes one manifest: the real worker process, and its cloud's metadata service.

Fake batch services start one for each machine job, interrupt or kill it, and report how it ended.
"""

import os
import re
import signal
import subprocess
import sys
import tempfile
from contextlib import ExitStack

from tests.fake_metadata import KINDS, metadata

_PART_DONE = re.compile(rb'"progress", "done_ms": [1-9]')  # 0 while the first part is decoded
END_SECONDS = 120  # for machines that have a lot else to do


class MachineWorker:
    """Starts `python -m gpu_job --manifest ADDRESS` on demo models at once.

    cloud: aws or gcp, whose notices it watches; empty: none. models: the folder of demo models.
    """

    def __init__(self, address, models, *, cloud="", **environment):
        self._stack = ExitStack()
        self._events = self._stack.enter_context(tempfile.TemporaryFile())  # noqa: SIM115
        own = {"MODELS_FOLDER": str(models), "MODEL": "demo", "DIARIZER": "none"}
        self._metadata = self._stack.enter_context(metadata(KINDS[cloud])) if cloud else None
        if self._metadata is not None:
            own |= {"SPOT_NOTICES": cloud, "SPOT_METADATA_URL": self._metadata.url}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "gpu_job", "--manifest", address],
            env=os.environ | own | environment,
            stdout=self._events,
            stderr=subprocess.DEVNULL,
        )

    @property
    def pid(self):
        return self.process.pid

    @property
    def has_progress(self):
        """Whether the worker has told of a part that is done."""
        size = os.fstat(self._events.fileno()).st_size
        return _PART_DONE.search(os.pread(self._events.fileno(), size, 0)) is not None

    @property
    def status(self):
        """The exit status, negative for a signal; None while it runs."""
        return self.process.poll()

    def announce(self):
        """The cloud announces that it takes the machine away; the worker notices by itself."""
        self._metadata.notice = True

    def stop(self):
        """SIGTERM, as a batch service stops a job."""
        self._signal(signal.SIGTERM)

    def kill(self):
        """SIGKILL, as when the machine is gone."""
        self._signal(signal.SIGKILL)

    def wait(self, seconds=END_SECONDS):
        """Wait for its end; returns the exit status."""
        return self.process.wait(seconds)

    def close(self):
        """Kill it, if it still runs, and stop its metadata service."""
        self.kill()
        self.wait()
        self._stack.close()

    def _signal(self, number):
        if self.process.poll() is None:
            self.process.send_signal(number)
