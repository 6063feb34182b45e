"""One cleanup: everything past its age, in constant memory; a killed one is continued.

The ages are those of the settings and of `tenants.yaml`. Lifecycle rules of a bucket cannot know
whether a transcript stands, so they delete no original (docs/operations.md).
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from pydantic import BaseModel, ConfigDict

from escriba.retention import Ages, Kind, TenantAges
from escriba.settings import Settings, SettingsError
from intake.tenants import tenant_ages
from intake.upkeep_notes import UPKEEP, UpkeepNote, write_note
from resources.storage.base import Storage, StorageError, StoredObject
from resources.storage.read_documents import read_or_remake

from .freed import Broom, Freed
from .needed import NeededNow, Running
from .originals import delete_originals
from .records import delete_records
from .work_files import delete_work_files

NAME: Final = "cleanup"
MOST_A_NIGHT: Final = 1_000_000  # objects of work/ that one night looks at; the next goes on
_PROGRESS: Final = f"{UPKEEP}cleanup-progress.json"
_AGES: Final = f"{UPKEEP}cleanup-ages.json"
_WRONG_CLOCK: Final = timedelta(days=1)


class _LastAges(BaseModel):
    """tenants: how many had ages of their own at the last cleanup."""

    model_config = ConfigDict(frozen=True)

    tenants: int = 0


class _Progress(BaseModel):
    """Where the next cleanup goes on in work/; empty: at the beginning."""

    model_config = ConfigDict(frozen=True)

    after: str = ""


def ages_of(settings: Settings) -> Ages:
    """The ages that apply.

    Raises:
        SettingsError: tenants.yaml is not valid.
    """
    days = {name: getattr(settings, name) for name in TenantAges.model_fields}
    return Ages(days, tenant_ages(settings.tenants_file))


def clean(  # noqa: PLR0913  # what a caller may know or want, by name
    settings: Settings,
    storage: Storage,
    now: datetime,
    *,
    running: Running = frozenset,
    is_dry_run: bool = False,
    at_most: int | None = None,
    on_object: Callable[[Kind, StoredObject], None] = lambda _kind, _found: None,
) -> Freed:
    """Delete what is past its age, and note for the digest what was freed.

    running: asked for the partitions of runs in progress, again and again.
    at_most: objects of work/ to look at; None: all.

    Raises:
        StorageError: the store does not answer, or something open cannot be read.
        SettingsError: tenants.yaml is not valid, or is missing and was there before.
    """
    ages, needed = _known_ages(settings, storage), NeededNow(storage, running)
    broom = Broom(storage, is_dry_run, on_object)
    delete_originals(storage, broom, ages, needed, now)
    delete_records(storage, broom, ages, now)
    ends_at = delete_work_files(
        storage,
        broom,
        ages,
        needed,
        now,
        after="" if is_dry_run else _begin_after(storage),
        at_most=at_most,
        remember=(lambda _key: None) if is_dry_run else lambda key: _remember(storage, key),
    )
    freed = broom.result(ends_at)
    if not is_dry_run:
        _remember(storage, ends_at)
        storage.write(_AGES, _LastAges(tenants=len(ages.tenants)).model_dump_json().encode())
        write_note(storage, UpkeepNote(name=NAME, at=now, headline=freed.headline, ok=_ok(freed)))
    return freed


def _known_ages(settings: Settings, storage: Storage) -> Ages:
    """The ages, unless tenants with ages of their own have vanished with the whole file."""
    ages, last = ages_of(settings), read_or_remake(storage, _AGES, _LastAges)
    if last is not None and last.tenants and not settings.tenants_file.is_file():
        raise SettingsError(
            f"{settings.tenants_file} is missing, and the last cleanup had ages of "
            f"{last.tenants:,} tenants from it: nothing is deleted. Restore the file, or write one "
            "with 'tenants: {}' if the ages of the settings shall be everybody's."
        )
    return ages


def check_clock(storage: Storage, now: datetime) -> None:
    """Compare this machine's clock, which decides on ages, with the store's.

    Raises:
        StorageError: they differ by more than a day; a wrong year would delete everything.
    """
    key = f"{UPKEEP}clock.json"
    storage.write(key, b"{}\n")
    written = storage.head(key)
    if written is not None and abs(now - written.modified) > _WRONG_CLOCK:
        raise StorageError(
            f"This machine's clock says {now:%Y-%m-%d %H:%M} UTC, and the store's "
            f"{written.modified:%Y-%m-%d %H:%M} UTC: nothing is deleted before they agree."
        )


def note_postponed(storage: Storage, now: datetime) -> UpkeepNote:
    """Note that nothing was deleted, since a run may need anything."""
    headline = (
        "Cleanup deleted nothing: a backfill from the UI is in progress, which may need any "
        "recording. The next cleanup after it goes on."
    )
    note = UpkeepNote(name=NAME, at=now, headline=headline, ok=False)
    write_note(storage, note)
    return note


def note_failed(storage: Storage, now: datetime) -> None:
    """Note for the digest that a cleanup stopped; the run has the reason."""
    headline = "Cleanup stopped: `cleanup_job` in Dagster's UI, or `escriba cleanup`, says why."
    write_note(storage, UpkeepNote(name=NAME, at=now, headline=headline, ok=False))


def _ok(freed: Freed) -> bool:
    return not freed.troubles


def _begin_after(storage: Storage) -> str:
    progress = read_or_remake(storage, _PROGRESS, _Progress)
    return progress.after if progress else ""


def _remember(storage: Storage, key: str) -> None:
    storage.write(_PROGRESS, _Progress(after=key).model_dump_json().encode())
