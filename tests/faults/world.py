"""A bucket, a provider and a clock; orchestrators come and go, `check` looks at what is left."""

import io
from dataclasses import dataclass
from datetime import UTC, datetime

import av
import numpy as np
import pyarrow.parquet as pq

from pipelines.settings import load_settings
from resources.gpu.job_folder import JobFolder
from resources.storage import open_storage
from tests.fake_runpod import FINAL

from .orchestrator import AUDIO, AUDIO_MS, TENANT, job_of
from .provider import Provider
from .timeline import Timeline

RATE = 16_000
LATER_SECONDS = 7_200  # only then is it certain of a reservation that its attempt never began
RECORDING = "acme/a.mp3"


@dataclass(frozen=True)
class Figures:
    """Of one life of the world.

    computations: claims that a worker took. deaths: of them, those that were killed, cut off,
    stopped or failed. doubles: computations beside those and one for each result. losses:
    recordings without a result. orphans: jobs that the provider still has. wasted_gpu_seconds:
    of computations that made no result, though the next may have gone on from what they left.
    """

    computations: int
    deaths: int
    results: int
    doubles: int
    losses: int
    orphans: int
    wasted_gpu_seconds: float


class World:
    """Use it as a context. `recordings`: what every orchestrator is asked for."""

    def __init__(self, folder, zygote, recordings=(RECORDING,)):
        self._folder, self._zygote, self.recordings = folder, zygote, list(recordings)
        self.timeline = Timeline(folder)
        self.began = datetime.now(UTC)
        shared = {"timeline": self.timeline.address, "began": self.began.isoformat()}
        self.provider, self._shared = Provider(self.timeline, zygote, shared), shared
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
        """An orchestrator that lives beside whoever else does."""
        settings = {**self.bucket, **self.provider.settings}
        recordings = life.pop("recordings", self.recordings)
        return self._zygote.fork(
            "orchestrator",
            work=work,
            settings=settings,
            recordings=recordings,
            **self._shared,
            **life,
        )

    def run(self, work="run", **life):
        """An orchestrator's whole life; what it told, or None where it was killed."""
        return self.start(work, **life).outcome()

    def finish(self, **life):
        """As the next night does: a run, then the reconciler, until all workers are gone."""
        found = self.run(**life)
        assert found is not None, "the last orchestrator died"
        self.wait_for_workers()
        troubles = self.run("reconcile", begins_after=LATER_SECONDS)["ends"]
        assert troubles == [], troubles
        return found["ends"]

    def lives_on(self, **life):
        """A run in trouble, and what follows it; the figures. All is done, or one clear error said.

        The error may be no more than that nobody is there to do it now.
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
        """What holds whatever happened; the figures of this life."""
        attempts = [a for name in self.recordings for a in self.folder(name).attempts()]
        rows = self._rows()
        assert all(attempt.end is not None for attempt in attempts), "an attempt has no end"
        ids = {attempt.attempt_id for attempt in attempts}
        assert ids == {row["attempt_id"] for row in rows}, "the ledger is not complete"
        left = [one.key for one in self.storage.list("ledger/open/")]
        assert left == [], "money is reserved for nothing"
        figures = self._figures()
        broken = (figures.doubles, figures.losses, figures.orphans)
        assert broken == (0, 0, 0), figures
        return figures

    def _figures(self):
        begun = [one for one in self.provider.deliveries if self._has_begun(one)]
        results = sum(self.folder(name).has_result() for name in self.recordings)
        deaths = sum(one.state in {"killed", "stopped", "failed"} for one in begun)
        orphans = sum(job.status not in FINAL for job in self.provider.jobs.values())
        wasted = [one.gpu_seconds for one in begun if one.state != "done"]
        return Figures(
            computations=len(begun),
            deaths=deaths,
            results=results,
            doubles=max(len(begun) - deaths - results, 0),
            losses=len(self.recordings) - results,
            orphans=orphans,
            wasted_gpu_seconds=sum(wasted),
        )

    def _has_begun(self, delivery):
        """Whether its worker took the claim, as far as anybody can tell."""
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
        samples = np.ones((1, RATE * AUDIO_MS // 1000), np.int16)
        frame = av.AudioFrame.from_ndarray(samples, "s16", "mono")
        frame.sample_rate = RATE
        made.mux(stream.encode(frame))
        made.mux(stream.encode(None))
    return path
