"""Stores that do not do what a store should: conditional writes, answers, ETags and dates."""

import os
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Final

import obstore
from obstore.exceptions import BaseError

from bench.attack.attacks import Attack, Verdict, expected
from resources.gpu.proven_store import ProvenStore
from resources.storage import open_storage, s3
from tests.resources.storage.faulty_s3 import FaultyS3, Oddities, faulty_s3
from tests.resources.storage.test_store_answers import ANSWERS, without_tries

CREATES: Final = {
    "ignores": "the condition is ignored",
    "racy": "the check is not atomic",
    "refuses": "no conditional writes",
}
ETAGS: Final = ('"{}"', 'W/"{}"', "{}", "", '"{}-3"')
DAYS: Final = {"ten years old": -3_650, "in the future": 365, "of 1970": None}
SECONDS: Final = 30.0
LARGE: Final = os.urandom(2_000_000)
LONGEST_SENTENCE: Final = 330


def attacks(folder: Path, *, quick: bool) -> Iterator[Attack]:
    """Creations, answers, ETags that differ between list and HEAD, dates of whoever wrote it."""
    with faulty_s3() as store:
        for _ in range(1 if quick else 10):
            for creates, says in CREATES.items():
                yield Attack(
                    f"creates: {creates}", partial(_refuses_paid, store, creates, says), SECONDS
                )
        for status, code, message, more, says in ANSWERS:
            text = f"<Error><Code>{code}</Code><Message>{message}</Message>{more}</Error>"
            answer = (status, text if code else "", {})
            yield Attack(f"answers {status} {code}", partial(_explains, store, answer, says))
        for listed in ETAGS:
            for elsewhere in ETAGS:
                odd = Oddities(etag_in_list=listed, etag_elsewhere=elsewhere)
                name = f"ETag {listed!r} in the list, {elsewhere!r} elsewhere"
                yield Attack(name, partial(_reads, store, odd, folder))
        for name, days in DAYS.items():
            odd = Oddities(modified=0 if days is None else time.time() + days * 86_400)
            yield Attack(f"dates {name}", partial(_reads, store, odd, folder))


def _refuses_paid(store: FaultyS3, creates: str, says: str) -> Verdict:
    """Held if no paid backend may use the store, and nothing of the proof stays."""
    store.oddities = Oddities(creates=creates)
    health = ProvenStore(open_storage(store.settings()), accept=False).health()
    left = [key for key in store.objects if ".doctor" in key]
    held = health.state == "down" and health.lasting and says in health.reason and not left
    return expected(it=held, otherwise=(health, left))


def _explains(store: FaultyS3, answer: tuple[int, str, dict[str, str]], says: str) -> Verdict:
    """Held if the store's own words and the advice are in one short sentence without a secret."""
    store.oddities = Oddities(answer=answer)
    try:
        obstore.get(without_tries(store.url), "k").bytes()
    except (BaseError, FileNotFoundError) as error:
        sentence = s3.FAULTS.reason(error)
        held = says in sentence and "AKIA" not in sentence and len(sentence) < LONGEST_SENTENCE
        return expected(it=held, otherwise=sentence)
    return Verdict("no error")


def _reads(store: FaultyS3, oddities: Oddities, folder: Path) -> Verdict:
    """Held if everything that was put is listed once, and arrives whole."""
    store.oddities = oddities
    store.objects.clear()
    for key in ("inbox/acme/a", "inbox/acme/b"):
        store.put(key, LARGE)
    storage = open_storage(store.settings())
    keys = [one.key for one in storage.list("inbox/")]
    head = storage.head("inbox/acme/a")
    with storage.local_copy("inbox/acme/a", folder) as path:
        is_whole = path.read_bytes() == LARGE
    held = keys == ["inbox/acme/a", "inbox/acme/b"] and head is not None and is_whole
    return expected(it=held, otherwise=(keys, head, is_whole))
