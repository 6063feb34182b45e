"""Reads a JSON document of the bucket, where anybody with access may have written or damaged it.

What cannot be used is named with its key, what is wrong with it, and what mends it.
"""

import logging
from typing import TypeVar

from pydantic import BaseModel

from gpu_job.contract.documents import (
    SMALL,
    DamagedDocumentError,
    DocumentLimits,
    LargeDocumentError,
    plain_document,
    read_document,
)

from .base import Storage, StorageError, TooLargeError

Document = TypeVar("Document", bound=BaseModel)
_LOG = logging.getLogger("escriba")


class DamagedError(StorageError):
    """An object is complete but cannot be used: waiting does not help.

    key: of the object. reason: completes the sentence 'The object …'. mend: what to do.
    is_too_large: nothing is known to be wrong with it but its size.
    """

    def __init__(self, key: str, reason: str, mend: str, *, is_too_large: bool = False) -> None:
        super().__init__(f"{key!r} {reason}. {mend}")
        self.key, self.reason, self.mend = key, reason, mend
        self.is_too_large = is_too_large


def delete_and_run(key: str) -> str:
    """The advice for an object that the next run makes again."""
    return f"Delete {key!r}, or restore it from a backup; the next run continues from there."


def read_stored(
    storage: Storage,
    key: str,
    kind: type[Document],
    limits: DocumentLimits = SMALL,
    *,
    mend: str = "",
) -> Document | None:
    """The document at a key; None if there is no object.

    mend: what to do where it is damaged; by default, to delete it.

    Raises:
        DamagedError: it cannot be used.
        StorageError: the store does not answer.
    """
    try:
        body = storage.read(key, limits.stored_bytes)
        return None if body is None else read_document(body, kind, limits)
    except (DamagedDocumentError, TooLargeError) as error:
        raise _damaged(key, error, mend) from None


def read_or_remake(
    storage: Storage, key: str, kind: type[Document], limits: DocumentLimits = SMALL
) -> Document | None:
    """The same; None, with a warning in the log, where it is damaged and is made again anyway."""
    try:
        return read_stored(storage, key, kind, limits)
    except DamagedError as error:
        _LOG.warning("%r %s; it is made again.", key, error.reason)
        return None


def read_stored_bytes(storage: Storage, key: str, limits: DocumentLimits, mend: str = "") -> bytes:
    """The unpacked bytes of a document of another reader; b"" if there is no object.

    Raises:
        DamagedError: it is too large, empty, not UTF-8, or its compression is damaged.
    """
    try:
        body = storage.read(key, limits.stored_bytes)
        return b"" if body is None else plain_document(body, limits)
    except (DamagedDocumentError, TooLargeError) as error:
        raise _damaged(key, error, mend) from None


def _damaged(key: str, error: DamagedDocumentError | TooLargeError, mend: str) -> DamagedError:
    reason = error.reason if isinstance(error, TooLargeError) else str(error)
    is_too_large = isinstance(error, LargeDocumentError | TooLargeError)
    return DamagedError(key, reason, mend or delete_and_run(key), is_too_large=is_too_large)
