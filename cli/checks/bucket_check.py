"""Checks that the bucket can be read, has conditional writes, and signs long-lived URLs."""

from collections.abc import Iterator
from datetime import timedelta

from escriba.settings import Settings, SettingsError
from intake.refused_requests import read_refused
from resources.storage import open_storage
from resources.storage.base import Storage, StorageError
from resources.storage.create_once import STORES_THAT_DO, prove_create_once

from .finding import Finding

_SHORT_LIFE = timedelta(hours=24)


def bucket(settings: Settings) -> Iterator[Finding]:
    """Check listing, conditional writes, and how long signed URLs are valid."""
    what = "bucket"
    try:
        storage = open_storage(settings)
        next(iter(storage.list("inbox/")), None)
        yield Finding(what=what, state="well", found=f"{storage.url} can be read")
        yield from _created_once(storage, accepted=settings.unproven_store == "accept")
        yield from _lives_long_enough(storage)
        yield from _refused_requests(storage)
    except (SettingsError, StorageError, OSError) as error:
        advice = "Check STORAGE_URL, the credentials and the network (docs/storage.md)."
        yield Finding(what=what, state="broken", found=str(error), advice=advice)


def _created_once(storage: Storage, *, accepted: bool) -> Iterator[Finding]:
    """Let several clients create one object at the same time, through each way that is used.

    accepted: UNPROVEN_STORE=accept, so a fault is a risk that somebody takes.
    """
    refused = (
        "No paid backend gets a job with this store, since a job may be paid for twice. Use "
        f"{STORES_THAT_DO} (docs/storage.md)."
    )
    risk = "A job may be paid for twice in this store (UNPROVEN_STORE=accept)."
    for way in prove_create_once(storage):
        if not way.fault:
            found = f"several clients cannot create the same object {way.name}"
            yield Finding(what="bucket", state="well", found=found)
            continue
        yield Finding(
            what="bucket",
            state="odd" if accepted else "broken",
            found=f"{way.fault} ({way.name})",
            advice=risk if accepted else refused,
        )


def _refused_requests(storage: Storage) -> Iterator[Finding]:
    """Report work requests that were moved aside."""
    for refused in read_refused(storage):
        yield Finding(
            what="bucket",
            state="odd",
            found=f"the work request {refused.key!r} {refused.reason}",
            advice=refused.advice,
        )


def _lives_long_enough(storage: Storage) -> Iterator[Finding]:
    """Check the lifetime of signed URLs: a job that takes longer is paid for and lost."""
    life = storage.address_life()
    if life is None:
        return
    hours, short = life.total_seconds() / 3600, life < _SHORT_LIFE
    advice = (
        "Jobs that may take longer are not submitted. Lower QUEUE_LIMIT_SECONDS and "
        "JOB_TIMEOUT_SECONDS, or sign with a long-lived key (docs/storage.md)."
    )
    yield Finding(
        what="bucket",
        state="odd" if short else "well",
        found=f"signed URLs for workers are valid for at most {hours:.1f} h",
        advice=advice if short else "",
    )
