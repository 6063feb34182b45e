"""Jobs whose worker is killed again and again while it buys pieces from an API on loopback.

Each attempt is a real process `python -m gpu_job --serve`; it is killed when a request arrives,
when an answer has left, or a random moment after. What must hold: a piece that is in a partial
result is never asked for again, each kill costs one piece at most, and no result is lost.
"""

import contextlib
import os
import random
import secrets
import signal
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import av
import numpy as np

from escriba.settings import load_settings
from gpu_job.common.audio import sha256_of
from gpu_job.contract import JobAddresses, JobOptions, JobRequest, JobResult, Lease, SpeechRegion
from gpu_job.contract.packing import unpacked
from gpu_job.partial_results import Partial
from resources.storage import open_storage
from tests.fake_openai import FakeOpenAI, tones

WORDS_A_JOB, PIECE_SECONDS = 40, 5
WAIT_SECONDS = 120
LATEST_SECONDS = 0.02  # after a step: long enough to receive an answer and save it


@dataclass
class KillFigures:
    """twice: pieces bought again that were saved. again: bought again since they were in flight.

    billed_ms: what the API billed. noted_ms: what the leases and results of all attempts say.
    """

    kills: int = 0
    jobs: int = 0
    lost: int = 0
    twice: int = 0
    again: int = 0
    pieces: int = 0
    billed_ms: int = 0
    noted_ms: int = 0


@dataclass
class KilledJob:
    """One job, and its attempts."""

    folder: Path
    api: FakeOpenAI
    attempts: int = 0
    saved: set = field(default_factory=set)
    seen: int = 0  # requests before the newest attempt

    def __post_init__(self):
        self.folder.mkdir(parents=True)
        self.storage = open_storage(load_settings(storage_url=(self.folder / "bucket").as_uri()))
        self.samples, self.placed = tones(range(WORDS_A_JOB), rest_ms=900)
        path = self.folder / "audio.flac"
        write_flac(path, self.samples)
        self.sha256 = sha256_of(path)
        self.storage.upload("audio.flac", path)

    def request(self):
        """The next attempt's, with the newest partial result of the earlier ones."""
        self.attempts += 1
        earlier = [f"partial-{n}.json" for n in range(self.attempts - 1, 0, -1)]
        newest = next((name for name in earlier if self.storage.head(name) is not None), None)
        claim, address = f"claim-{self.attempts}.json", self._address
        return JobRequest(
            job="a" * 64,
            attempt=self.attempts,
            nonce=secrets.token_hex(4),
            options=JobOptions(model="whisper-1", language="en", diarizer="none"),
            regions=tuple(
                SpeechRegion(start_ms=start, end_ms=end) for _, start, end in self.placed
            ),
            audio_ms=self.samples.shape[1] // 16,
            audio_sha256=self.sha256,
            model_revision="whisper-1",
            addresses=JobAddresses(
                audio=address("audio.flac", "read"),
                result_read=address("result.json", "read"),
                result_create=address("result.json", "create"),
                claim_read=address(claim, "read"),
                claim_create=address(claim, "create"),
                claim_beat=address(claim, "write"),
                partial_write=address(f"partial-{self.attempts}.json", "write"),
                partial_read=address(newest, "read") if newest else None,
            ),
        )

    def result(self):
        body = self.storage.read("result.json")
        return None if body is None else JobResult.model_validate_json(unpacked(body))

    def noted_ms(self):
        """What all attempts bought, by their leases; by the result if it is written."""
        result, noted = self.result(), 0
        for n in range(1, self.attempts + 1):
            body = self.storage.read(f"claim-{n}.json")
            usage = Lease.model_validate_json(body).usage if body is not None else None
            usage = result.usage if result and result.attempt == n else usage
            noted += usage.bought_ms if usage else 0
        return noted

    def pieces_saved(self):
        """How many pieces the newest partial result has."""
        for n in range(self.attempts, 0, -1):
            body = self.storage.read(f"partial-{n}.json")
            if body is not None:
                return Partial.model_validate_json(unpacked(body)).windows_done
        return 0

    def _address(self, name, permission):
        return self.storage.address(name, permission, timedelta(hours=1))


def run_attempt(job, step, delay_seconds):
    """Run one attempt; kill it at that step, counted from 0; None: never. Whether it was killed."""
    ended, killed, steps = threading.Event(), threading.Event(), iter(range(10_000))
    process = _worker(job.api)

    def at_step(_heard):
        if next(steps) == step:
            ended.wait(delay_seconds)
            killed.set()
            with contextlib.suppress(ProcessLookupError):
                os.kill(process.pid, signal.SIGKILL)

    job.api.arrived = job.api.answered = at_step
    watchdog = threading.Timer(WAIT_SECONDS, process.kill)
    watchdog.start()
    with process:
        with contextlib.suppress(BrokenPipeError):
            process.stdin.write(job.request().model_dump_json().encode() + b"\n")
            process.stdin.write(b"end\n")
            process.stdin.flush()
        for line in process.stdout:
            if b'"ended"' in line:
                break
        ended.set()
        process.stdin.close()
        process.wait()
    watchdog.cancel()
    job.api.arrived = job.api.answered = None
    return killed.is_set()


def killed_jobs(folder, kills, *, dice=None, most_a_job=6):
    """Jobs with that many kills in all; the figures of what they cost."""
    dice, figures = dice or random.Random(17), KillFigures()
    while figures.kills < kills:
        with FakeOpenAI() as api:
            job = KilledJob(folder / f"job-{figures.jobs}", api)
            _one_job(job, figures, min(most_a_job, kills - figures.kills), dice)
        figures.jobs += 1
    return figures


def _one_job(job, figures, kills, dice):
    mine = 0
    while mine < kills and job.result() is None:
        mine += run_attempt(
            job, dice.randrange(5), dice.choice((0, dice.random() * LATEST_SECONDS))
        )
        _check_saved(job, figures)
    if job.result() is None:
        run_attempt(job, None, 0)
        _check_saved(job, figures)
    result = job.result()
    heard = [word.text for segment in result.segments for word in segment.words] if result else []
    figures.kills += mine
    figures.lost += [one.strip(".").lower() for one in heard] != [one for one, _, _ in job.placed]
    figures.pieces += len(job.api.billed)
    again = job.api.billed.total() - len(job.api.billed)
    figures.again += again
    figures.billed_ms += round(job.api.billed_seconds * 1000)
    figures.noted_ms += job.noted_ms()
    figures.twice += max(0, again - mine)  # a kill costs one piece at most


def _check_saved(job, figures):
    """No piece that was saved before may have been sent since."""
    order = list(dict.fromkeys(heard.digest for heard in job.api.requests))
    since = {heard.digest for heard in job.api.requests[job.seen :]}
    figures.twice += len(since & job.saved)
    job.seen = len(job.api.requests)
    job.saved = set(order[: job.pieces_saved()])


def _worker(api):
    environment = {k: v for k, v in os.environ.items() if not k.startswith("OPENAI_")}
    own = {"DIARIZER": "none", "OPENAI_MAX_SECONDS": str(PIECE_SECONDS), "MODEL": "whisper-1"}
    return subprocess.Popen(
        [sys.executable, "-m", "gpu_job", "--serve"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environment | api.environment | own,
    )


def write_flac(path, samples):
    with av.open(str(path), "w") as made:
        stream = made.add_stream("flac", rate=16_000, layout="mono")
        for begin in range(0, samples.shape[1], 16_000):
            part = np.ascontiguousarray(samples[:, begin : begin + 16_000])
            frame = av.AudioFrame.from_ndarray(part, "s16", "mono")
            frame.sample_rate = 16_000
            made.mux(stream.encode(frame))
        made.mux(stream.encode(None))
