"""The totals of the ledger in a file, so that no counter falls after a restart.

Totals and position are saved together: what came after them is read again. Without the file, all
is rebuilt from the ledger.
"""

import logging
import os
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, Literal

from pydantic import BaseModel, Field, ValidationError

from escriba.metrics.attempt_totals import AttemptTotals
from resources.storage.base import Storage

from .new_attempts import WINDOW_DAYS, LedgerRead, new_attempts

_SAVE_EVERY: Final = timedelta(minutes=1)  # a megabyte after a large night
_LONGEST_GAP: Final = timedelta(days=WINDOW_DAYS - 2)  # after a longer one, rows would be left out
_SET_BACK: Final = timedelta(minutes=10)  # of a clock; less than the overlap of two readings
_LOG = logging.getLogger("escriba")


class SavedTotals(BaseModel):
    """What the file holds. bucket: the URL of the bucket that the totals are of."""

    version: Literal[1] = 1
    bucket: str
    read_at: datetime | None = None
    read: LedgerRead = Field(default_factory=LedgerRead)
    totals: AttemptTotals = Field(default_factory=AttemptTotals)


class LedgerTotals:
    """The totals of a bucket's ledger; a call reads only what is new. Not for several threads."""

    def __init__(self, storage: Storage, path: Path, most_tenants: int) -> None:
        self._storage, self._path, self._most_tenants = storage, path, most_tenants
        self._state = _saved(path, storage.url)
        self._saved_at: datetime | None = None

    def read(self, now: datetime) -> AttemptTotals:
        """The totals at this moment.

        Time never goes back from one call to the next: a day that has left the window would come
        back into it, and count twice. After a clock was set back by far, all is read again.

        Raises:
            StorageError: the ledger cannot be read; the next call continues.
        """
        state = self._state
        if state.read_at is None or not -_SET_BACK <= now - state.read_at <= _LONGEST_GAP:
            state, self._saved_at = SavedTotals(bucket=self._storage.url), None
        elif now < state.read_at:
            now = state.read_at
        for one, is_first in new_attempts(self._storage, state.read, now):
            state.totals.add(one, self._most_tenants, is_paid=is_first)
        state.totals.forget_days(now.date())
        state.read_at = now
        self._state = state
        self._save(now)
        return state.totals

    @property
    def last(self) -> AttemptTotals | None:
        """The totals of the last call that worked, or of the file; None: there is neither."""
        return self._state.totals if self._state.read_at else None

    def _save(self, now: datetime) -> None:
        if self._saved_at is not None and now - self._saved_at < _SAVE_EVERY:
            return
        self._saved_at = now
        draft = self._path.with_suffix(f".{os.getpid()}")
        try:
            draft.write_text(self._state.model_dump_json(), encoding="utf-8")
            draft.replace(self._path)
        except OSError as error:  # of a full disk, which an alert tells: the totals are right
            _LOG.warning("%s cannot be written: %s", self._path, error.strerror)


def _saved(path: Path, bucket: str) -> SavedTotals:
    """What the file says of this bucket; nothing if it is missing, damaged or of another one."""
    try:
        saved = SavedTotals.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return SavedTotals(bucket=bucket)
    except (OSError, ValidationError):
        _LOG.warning("%s cannot be read; the totals are rebuilt from the ledger.", path)
        return SavedTotals(bucket=bucket)
    return saved if saved.bucket == bucket else SavedTotals(bucket=bucket)
