"""One cleanup: everything past its age, in constant memory; a killed one is continued.

The ages are those of the settings and of `tenants.yaml`. Lifecycle rules of a bucket cannot know
whether a transcript stands, so they delete no original (docs/operations.md).
"""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Final

from pydantic import BaseModel, ConfigDict

from escriba.retention import Ages, Kind
from escriba.settings import RetentionSettings, Settings
from intake.tenants import tenant_ages
from intake.upkeep_notes import UPKEEP, UpkeepNote, write_note
from resources.storage.base import Storage, StoredObject
from resources.storage.read_documents import read_or_remake

from .freed import Broom, Freed
from .needed import find_needed
from .originals import delete_originals
from .records import delete_records
from .work_files import delete_work_files

NAME: Final = "cleanup"
MOST_A_NIGHT: Final = 1_000_000  # objects of work/ that one night looks at; the next goes on
_PROGRESS: Final = f"{UPKEEP}cleanup-progress.json"


class _Progress(BaseModel):
    """Where the next cleanup goes on in work/; empty: at the beginning."""

    model_config = ConfigDict(frozen=True)

    after: str = ""


def ages_of(settings: Settings) -> Ages:
    """The ages that apply.

    Raises:
        SettingsError: tenants.yaml is not valid.
    """
    days = {name: getattr(settings, name) for name in RetentionSettings.model_fields}
    return Ages(days, tenant_ages(settings.tenants_file))


def clean(  # noqa: PLR0913  # what a caller may know or want, by name
    settings: Settings,
    storage: Storage,
    now: datetime,
    *,
    running_keys: Iterable[str] = (),
    is_dry_run: bool = False,
    at_most: int | None = None,
    on_object: Callable[[Kind, StoredObject], None] = lambda _kind, _found: None,
) -> Freed:
    """Delete what is past its age, and note for the digest what was freed.

    running_keys: partitions of runs in progress. at_most: objects of work/ to look at; None: all.

    Raises:
        StorageError: the store does not answer, or something open cannot be read.
        SettingsError: tenants.yaml is not valid.
    """
    ages, needed = ages_of(settings), find_needed(storage, running_keys)
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
        write_note(storage, UpkeepNote(name=NAME, at=now, headline=freed.headline, ok=_ok(freed)))
    return freed


def note_postponed(storage: Storage, now: datetime) -> UpkeepNote:
    """Note that nothing was deleted, since a run may need anything."""
    headline = (
        "Cleanup deleted nothing: a backfill over a range of recordings is in progress, which may "
        "need any of them. The next cleanup after it goes on."
    )
    note = UpkeepNote(name=NAME, at=now, headline=headline, ok=False)
    write_note(storage, note)
    return note


def _ok(freed: Freed) -> bool:
    return not freed.troubles


def _begin_after(storage: Storage) -> str:
    progress = read_or_remake(storage, _PROGRESS, _Progress)
    return progress.after if progress else ""


def _remember(storage: Storage, key: str) -> None:
    storage.write(_PROGRESS, _Progress(after=key).model_dump_json().encode())
