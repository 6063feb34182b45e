"""Hostile recordings: through the media processes, and in a batch with good ones."""

import random
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Final

from bench.attack.attacks import HELD, Attack, Verdict, expected, refused
from bench.attack.batches import Bucket, delay
from bench.attack.one_kind import ROOT
from escriba.audio.audio_errors import AudioRefused
from escriba.settings import load_settings
from resources.media.media_messages import OptimizeTask
from resources.media.media_pool import MediaPool, open_pool
from tests import hostile_media as hostile
from tests.escriba.audio.test_hostile_bytes import FILES, damaged
from tests.escriba.audio.test_hostile_headers import REFUSED

TASK: Final = OptimizeTask(limit_bytes=100_000_000)
REFUSALS: Final = {make: code for make, code, _ in REFUSED} | {
    hostile.large_packet: "took_too_much_memory"
}
HARMLESS: Final = (hostile.cover_of_144_megapixels, hostile.hours_of_nothing)
LONGEST_MS: Final = 60_000  # of the audio that two seconds may become
GOOD: Final = sorted((ROOT / "demo" / "recordings").glob("*-2-voices.m*"))
BATCH_SECONDS: Final = 60.0


def attacks(folder: Path, *, quick: bool) -> Iterator[Attack]:
    """Known kinds, damaged bytes, and one batch of all known kinds."""
    for each in ("bad", "out", "alone", "together"):
        (folder / each).mkdir()
    with open_pool(load_settings(), lambda: folder) as pool:
        for make, code in REFUSALS.items():
            path = make(folder / "bad")
            yield Attack(make.__name__, partial(_refused, pool, path, folder / "out", code))
        for make in HARMLESS:
            path = make(folder / "bad")
            yield Attack(make.__name__, partial(_harmless, pool, path, folder / "out"))
        for name, path in _damaged_files(folder, 2 if quick else 40):
            yield Attack(name, partial(_refused_or_harmless, pool, path, folder / "out"))
    yield _batch(folder)


def _refused(pool: MediaPool, path: Path, out: Path, code: str) -> Verdict:
    return refused(lambda: pool.optimize(path, out, TASK, path.name), AudioRefused, code)


def _harmless(pool: MediaPool, path: Path, out: Path) -> Verdict:
    made = pool.optimize(path, out, TASK, path.name)
    return expected(it=made.decoded_ms <= LONGEST_MS, otherwise=f"{made.decoded_ms} ms of audio")


def _refused_or_harmless(pool: MediaPool, path: Path, out: Path) -> Verdict:
    try:
        return _harmless(pool, path, out)
    except AudioRefused as error:
        return expected(it=bool(error.code and error.advice), otherwise=error)


def _damaged_files(folder: Path, times: int) -> Iterator[tuple[str, Path]]:
    for name, codec in FILES:
        path = hostile.recording(folder / name, codec, 48_000)
        whole, dice = path.read_bytes(), random.Random(name)  # noqa: S311  # dice, not keys
        for number in range(times):
            path.write_bytes(damaged(whole, dice))
            yield f"damaged {name}, {number}", path


def _batch(folder: Path) -> Attack:
    alone, together = (Bucket(folder / each) for each in ("alone", "together"))
    good = [alone.put(path, path.name) for path in GOOD]
    bad = {
        together.put(make(folder / "bad"), f"{make.__name__}.bin"): code
        for make, code in REFUSALS.items()
    }
    for path in GOOD:
        together.put(path, path.name)
    before = alone.batch(good)

    def run() -> Verdict:
        after = together.batch([*bad, *good])
        codes = {recording: after.code(recording) for recording in (*bad, *good)}
        wrong = {r.name: code for r, code in codes.items() if code != bad.get(r, "")}
        return (HELD if not wrong else Verdict(f"wrong ends: {wrong}"))._replace(
            good_files_delayed_s=delay(before, after, good)
        )

    return Attack("a batch with good recordings", run, BATCH_SECONDS)
