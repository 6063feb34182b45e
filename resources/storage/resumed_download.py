"""Downloads that go on where they broke, as long as every try brings something."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, BinaryIO, Final

import obstore
from obstore.exceptions import GenericError, NotFoundError, PreconditionError
from obstore.store import AzureStore, GCSStore, S3Store

from .base import TooLargeError
from .etags import plain_etag, version_of
from .partial_file import Begun
from .store_answer import answer_of

Store = AzureStore | GCSStore | S3Store

_CHUNK_BYTES: Final = 1 << 16  # what of a chunk has arrived is lost when the body breaks
_FRUITLESS_TRIES: Final = 5  # in a row; also the most that start over
_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 1.0, 30.0
_CLIENT_ERROR, _SERVER_ERROR, _TOO_MANY = 400, 500, 429
_BEYOND_ITS_END: Final = 416  # of a new version that is shorter than what was received
BODY_BROKE: Final = "body error"  # obstore's word for a body that breaks
_WHOLE_INSTEAD: Final = "non-partial"  # obstore's word for a store that ignores ranges


class _ChangedError(Exception):
    """The object is another version than the one that was begun."""

    def __str__(self) -> str:
        return "the object changed while it was read"


@dataclass
class Download:
    """One object on its way into a file that is open for writing, at the end of what it has.

    sleep: between tries without progress. limit_bytes: the largest object that is received.
    begun: the version that the file has a part of. on_begin: called when a version is begun.
    """

    store: Store
    key: str
    target: BinaryIO
    sleep: Callable[[float], None] = time.sleep
    limit_bytes: int | None = None
    begun: Begun | None = None
    on_begin: Callable[[Begun], None] = lambda _: None
    _size_bytes: int | None = None
    _version: str = ""
    _raw_etag: str | None = None
    _done_bytes: int = 0
    _fruitless: int = field(default=0)
    _restarts: int = field(default=0)

    def run(self) -> None:
        """Receive the whole object, in one version.

        Raises:
            BaseError, FileNotFoundError: obstore's error of the last try.
            TooLargeError: the object has more than `limit_bytes`.
        """
        self._go_on_from_before()
        while True:
            before = self._done_bytes
            try:
                self._receive()
                if self._done_bytes == self._size_bytes:
                    return
                error: Exception = GenericError("the body was cut short")
            except (NotFoundError, FileNotFoundError):
                raise
            except (PreconditionError, _ChangedError) as changed:
                self._start_over()
                error = changed
            except GenericError as broken:
                error = broken
                if _WHOLE_INSTEAD in str(broken) or answer_of(broken).status == _BEYOND_ITS_END:
                    self._start_over()
                elif not self._may_go_on(broken):
                    raise
            self._fruitless = 0 if self._done_bytes > before else self._fruitless + 1
            if max(self._fruitless, self._restarts) >= _FRUITLESS_TRIES:
                raise error if isinstance(error, GenericError) else GenericError(str(error))
            if self._fruitless:
                pause = _PAUSE_SECONDS * 2.0 ** (self._fruitless - 1)
                self.sleep(min(pause, _LONGEST_PAUSE_SECONDS))

    def _go_on_from_before(self) -> None:
        if self.begun is not None:
            self._size_bytes, self._raw_etag = self.begun.size_bytes, self.begun.etag
            self._version, self._done_bytes = plain_etag(self.begun.etag), self.target.tell()

    def _receive(self) -> None:
        got = obstore.get(self.store, self.key, options=self._options())
        size, etag = got.meta["size"], got.meta["e_tag"]
        version = version_of(etag, size, got.meta["last_modified"])
        if self._size_bytes is None:
            if self.limit_bytes is not None and size > self.limit_bytes:
                raise TooLargeError(self.key, self.limit_bytes)
            self._size_bytes, self._raw_etag, self._version = size, etag, version
            self.on_begin(Begun(size, etag or ""))
        elif version != self._version:
            raise _ChangedError
        for chunk in got.stream(min_chunk_size=_CHUNK_BYTES):
            self.target.write(chunk)
            self._done_bytes += len(chunk)

    def _options(self) -> Any:  # noqa: ANN401  # obstore's typed dictionary
        if self._size_bytes is None or not self._done_bytes:
            self._size_bytes = None
            return None
        options: dict[str, Any] = {"range": (self._done_bytes, self._size_bytes)}
        if self._raw_etag and not self._raw_etag.startswith("W/"):  # a weak one never matches
            options["if_match"] = self._raw_etag
        return options

    def _may_go_on(self, error: Exception) -> bool:
        """Whether something has arrived, or was about to, and the store did not refuse the rest."""
        status = answer_of(error).status
        refused = _CLIENT_ERROR <= status < _SERVER_ERROR and status != _TOO_MANY
        return not refused and (self._done_bytes > 0 or BODY_BROKE in str(error))

    def _start_over(self) -> None:
        self._restarts += 1
        self._done_bytes, self._size_bytes = 0, None
        self.target.seek(0)
        self.target.truncate()
