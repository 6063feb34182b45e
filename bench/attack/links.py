"""Links that break, and links that are slow: both ways, for the orchestrator and for a worker."""

import os
from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Final

from bench.attack.attacks import Attack, Verdict, expected
from gpu_job import transfer
from resources.storage import open_storage
from resources.storage.link_patience import PART_BYTES
from resources.storage.resumed_download import Download
from tests.resources.storage.faulty_s3 import FaultyS3, Oddities, faulty_s3
from tests.resources.storage.test_store_answers import without_tries

SECONDS: Final = 60.0
MANY: Final = 3_000_000
SLOW: Final = 250_000  # bytes per second: 2 Mbit/s
UPLOAD_SPEED: Final = 20_000_000
LIFE: Final = timedelta(minutes=5)
AT_ONCE: Final = 2


def attacks(folder: Path, *, quick: bool) -> Iterator[Attack]:
    """Downloads that are cut, replaced and slow; uploads in parts and slow; what a worker reads."""
    many = MANY if quick else 5 * MANY
    with faulty_s3() as store:
        for cuts in (1, 3, 6):
            odd = partial(Oddities, cut_after=400_000, cuts=cuts)
            yield Attack(f"{cuts} cuts", partial(_copied, store, odd(), folder, many), SECONDS)
            yield Attack(f"{cuts} cuts, a worker", partial(_fetched, store, odd(), folder), SECONDS)
        for etag in ('"{}"', 'W/"{}"', ""):
            odd_one = Oddities(etag_elsewhere=etag, cut_after=250_000, cuts=11)
            yield Attack(f"11 cuts, ETag {etag!r}", partial(_resumed, store, odd_one), SECONDS)
        yield Attack("cut, and small", partial(_small, store), SECONDS)
        yield Attack("replaced meanwhile", partial(_replaced, store, folder), SECONDS)
        slow = partial(Oddities, bytes_per_second=SLOW)
        yield Attack("2 Mbit/s, down", partial(_copied, store, slow(), folder, many), SECONDS)
        parts = Oddities(bytes_per_second=UPLOAD_SPEED)
        size = 4 * PART_BYTES + 1
        yield Attack("parts, up", partial(_uploaded, store, parts, folder, size), SECONDS)
        yield Attack("2 Mbit/s, up", partial(_uploaded, store, slow(), folder, many), SECONDS)


def _put(store: FaultyS3, oddities: Oddities, size: int) -> bytes:
    data = os.urandom(size)
    store.oddities = oddities
    store.requests.clear()
    store.put("big", data)
    return data


def _copied(store: FaultyS3, oddities: Oddities, folder: Path, size: int) -> Verdict:
    """Held if all arrives, and nothing is asked for twice."""
    data = _put(store, oddities, size)
    with open_storage(store.settings()).local_copy("big", folder) as path:
        is_whole = path.read_bytes() == data
    asked = [headers.get("range", "all") for _, _, headers in store.requests]
    return expected(it=is_whole and len(asked) == len(set(asked)), otherwise=asked)


def _fetched(store: FaultyS3, oddities: Oddities, folder: Path) -> Verdict:
    data = _put(store, oddities, MANY)
    address = open_storage(store.settings()).address("big", "read", LIFE)
    target = folder / "fetched"
    target.mkdir(exist_ok=True)
    got = transfer.fetch(address, target).read_bytes()
    return expected(it=got == data, otherwise=len(got))


def _resumed(store: FaultyS3, oddities: Oddities) -> Verdict:
    """Held if it goes on where the library gives up, without a pause."""
    data, received = _put(store, oddities, MANY), BytesIO()
    pauses: list[float] = []
    Download(without_tries(store.url), "big", received, pauses.append).run()
    return expected(it=received.getvalue() == data and not pauses, otherwise=pauses)


def _small(store: FaultyS3) -> Verdict:
    data = _put(store, Oddities(cut_after=10_000, cuts=3), 50_000)
    got = open_storage(store.settings()).read("big")
    return expected(it=got == data, otherwise=len(got or b""))


def _replaced(store: FaultyS3, folder: Path) -> Verdict:
    """Held if what arrives is one version, not the halves of two."""
    _put(store, Oddities(cut_after=1_000_000, cuts=1), MANY)
    new = os.urandom(MANY)
    store.oddities.on_cut = lambda: store.put("big", new)
    with open_storage(store.settings()).local_copy("big", folder) as path:
        return expected(it=path.read_bytes() == new)


def _uploaded(store: FaultyS3, oddities: Oddities, folder: Path, size: int) -> Verdict:
    """Held if all arrives, and few parts share the link."""
    data = _put(store, oddities, size)
    store.objects.clear()
    store.most_at_once = 0
    (folder / "big").write_bytes(data)
    open_storage(store.settings()).upload("sent", folder / "big")
    held = store.objects["sent"][0] == data and store.most_at_once <= AT_ONCE
    return expected(it=held, otherwise=store.most_at_once)
