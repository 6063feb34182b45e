"""A bucket, a provider and a clock for orchestrators; `check` verifies what they leave behind."""

import io
from dataclasses import dataclass
from datetime import UTC, datetime

import av
import pyarrow.parquet as pq

from escriba.settings import load_settings
from resources.gpu.job_folder import JobFolder
from resources.storage import open_storage
from tests.fake_openai import tones

from .backends import LOCAL, MACHINES, OPENAI, PYANNOTE_AI, RUNPOD
from .machines import Machines
from .orchestrator import AUDIO, TENANT, job_of
from .provider import Provider
from .recording import REGION_MS
from .this_machine import OpenAIApi, PyannoteAiApi, ThisMachine
from .timeline import Timeline

RATE = 16_000
LATER_SECONDS = 7_200  # by then a reservation without an attempt is certainly orphaned
RECORDING = "acme/a.mp3"
PROVIDERS = {
    RUNPOD: Provider,
    MACHINES: Machines,
    LOCAL: ThisMachine,
    OPENAI: OpenAIApi,
    PYANNOTE_AI: PyannoteAiApi,
}


@dataclass(frozen=True)
class Figures:
    """The figures of one world.

    computations: leases that a worker took. deaths: those killed, cut off, stopped or failed.
    doubles: computations in excess of deaths and results. losses: recordings without a result.
    orphans: jobs that the provider still has, or workers without an orchestrator.
    wasted_gpu_seconds: of computations without a result, even if the next one resumed from their
    partial result. bought_again: pieces that an API was paid for twice. bought_twice: of them,
    those that are more than one for each death and for each answer that was lost.
    """

    computations: int
    deaths: int
    results: int
    doubles: int
    losses: int
    orphans: int
    wasted_gpu_seconds: float
    bought_again: int = 0
    bought_twice: int = 0


class World:
    """A context manager. recordings: the ones that every orchestrator processes.

    kind: of the backend and its provider (backends.py).
    """

    def __init__(self, folder, zygote, recordings=(RECORDING,), kind=RUNPOD):
        self._folder, self._zygote, self.recordings = folder, zygote, list(recordings)
        self.timeline = Timeline(folder)
        self.began = datetime.now(UTC)
        shared = {"timeline": self.timeline.address, "began": self.began.isoformat()}
        self._kind, self._shared = kind, shared
        self.provider = PROVIDERS[kind](self.timeline, zygote, shared)
        self.bucket = {"storage_url": (folder / "bucket").as_uri()}
        self.storage = open_storage(load_settings(**self.bucket))
        self.storage.upload(AUDIO, _second_of_audio(folder))

    def __enter__(self):
        self.provider.__enter__()
        return self

    def __exit__(self, *_):
        self.wait_for_workers()
        self.provider.__exit__()
        self.timeline.close()

    def start(self, work="run", **life):
        """Start an orchestrator, concurrently with any others."""
        settings = {**self.bucket, **self.provider.settings}
        recordings = life.pop("recordings", self.recordings)
        return self._zygote.fork(
            "orchestrator",
            work=work,
            backend=self._kind,
            settings=settings,
            recordings=recordings,
            **self._shared,
            **life,
        )

    def run(self, work="run", **life):
        """Run an orchestrator to its end; returns its outcome, or None if it was killed."""
        return self.start(work, **life).outcome()

    def finish(self, **life):
        """A run, then the reconciler, until all workers have ended."""
        found = self.run(**life)
        assert found is not None, "the last orchestrator died"
        self.wait_for_workers()
        troubles = self.run("reconcile", begins_after=LATER_SECONDS)["ends"]
        assert troubles == [], troubles
        return found["ends"]

    def lives_on(self, **life):
        """A disturbed run and the next one; returns the figures.

        The first run ends with `done`, or reports that the backend is unavailable.
        """
        found = self.run(**life)
        for end in found["ends"]:
            assert end in {"done", "interrupted"} or end.startswith("BackendUnavailable"), end
        self.provider.faults.clear()
        assert self.finish() == ["done"] * len(self.recordings)
        return self.check()

    def wait_for_workers(self):
        for delivery in list(self.provider.deliveries):
            assert delivery.over.wait(60), "a worker never ends"

    def folder(self, recording):
        return JobFolder(self.storage, TENANT, job_of(recording))

    def check(self):
        """Check what must hold in every case; returns the figures."""
        attempts = [a for name in self.recordings for a in self.folder(name).attempts()]
        rows = self._rows()
        assert all(attempt.end is not None for attempt in attempts), "an attempt has no end"
        ids = {attempt.attempt_id for attempt in attempts}
        assert ids == {row["attempt_id"] for row in rows}, "the ledger is not complete"
        left = [one.key for one in self.storage.list("ledger/open/")]
        assert left == [], "money is reserved for nothing"
        figures = self._figures()
        broken = (figures.doubles, figures.losses, figures.orphans, figures.bought_twice)
        assert broken == (0, 0, 0, 0), figures
        return figures

    def _figures(self):
        begun = [one for one in self.provider.deliveries if self._has_begun(one)]
        results = sum(self.folder(name).has_result() for name in self.recordings)
        deaths = sum(one.state in {"killed", "stopped", "failed"} for one in begun)
        again = self.provider.bought_again(results)
        excused = deaths + getattr(self.provider.faults, "lost", 0)
        wasted = [one.gpu_seconds for one in begun if one.state != "done"]
        return Figures(
            computations=len(begun),
            deaths=deaths,
            results=results,
            doubles=max(len(begun) - deaths - results, 0),
            losses=len(self.recordings) - results,
            orphans=self.provider.orphans(),
            wasted_gpu_seconds=sum(wasted),
            bought_again=again,
            bought_twice=max(again - excused, 0),
        )

    def _has_begun(self, delivery):
        """Whether its worker took the lease, as far as it is known."""
        return delivery.state in {"killed", "done"} or delivery.outcome["heard_seconds"] > 0

    def _rows(self):
        files = [one.key for one in self.storage.list("ledger/attempts/")]
        return [row for key in files for row in self._table(key)]

    def _table(self, key):
        return pq.read_table(io.BytesIO(self.storage.read(key))).to_pylist()


def _second_of_audio(folder):
    path = folder / "audio.flac"
    with av.open(str(path), "w") as made:
        stream = made.add_stream("flac", rate=RATE, layout="mono")
        samples, _ = tones(range(2), lead_ms=0, word_ms=600, pause_ms=REGION_MS - 600)
        frame = av.AudioFrame.from_ndarray(samples, "s16", "mono")
        frame.sample_rate = RATE
        made.mux(stream.encode(frame))
        made.mux(stream.encode(None))
    return path
