"""Finds the system's error behind an error of a decoder, which often hides it."""

import errno
from collections.abc import Iterator
from typing import Final

from escriba.audio.audio_errors import AudioRefused

_LIMITS: Final = (errno.ENOMEM, errno.EFBIG, errno.EMFILE)
# onnxruntime and Python have no exception of their own for a lack of memory in these places
_NO_MEMORY: Final = ("bad_alloc", "bad allocation", "failed to allocate", "can't start new thread")


def system_error(error: BaseException) -> int | None:
    """The number of the error that a limit or the system gave, such as ENOMEM; None without one."""
    for cause in _chain(error):
        if isinstance(cause, MemoryError):
            return errno.ENOMEM
        if getattr(cause, "errno", None) in _LIMITS:
            return int(cause.errno)  # type: ignore[attr-defined]
        if any(words in str(cause).lower() for words in _NO_MEMORY):
            return errno.ENOMEM
    is_system = isinstance(error, OSError) and not isinstance(error, AudioRefused)
    return error.errno if is_system and isinstance(error, OSError) else None


def _chain(error: BaseException) -> Iterator[BaseException]:
    cause: BaseException | None = error
    while cause is not None:
        yield cause
        cause = cause.__cause__ or cause.__context__
