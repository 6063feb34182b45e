"""Logs and tracebacks of this process without its secrets, whichever library writes them."""

import logging
import sys
import threading
import traceback
from types import TracebackType

from .known_secrets import mask_error, masked


class MaskedRecord(logging.LogRecord):
    """A record whose text and traceback are masked when it is made, before any handler sees it."""

    def __init__(self, *args: object, **more: object) -> None:
        super().__init__(*args, **more)  # type: ignore[arg-type]  # as logging calls it
        try:
            text = self.getMessage()
        except Exception:  # noqa: BLE001  # arguments that do not fit: logging reports it itself
            return
        without = masked(text)
        if without != text:
            self.msg, self.args = without, ()
        if self.exc_info and self.exc_info[1] is not None:
            mask_error(self.exc_info[1])
            lines = traceback.format_exception(self.exc_info[1])
            self.exc_text = masked("".join(lines).rstrip("\n"))


def keep_secrets_out_of_logs() -> None:
    """Mask the records and the uncaught errors of this process from now on; idempotent."""
    if logging.getLogRecordFactory() is MaskedRecord:
        return
    logging.setLogRecordFactory(MaskedRecord)
    sys.excepthook = _uncaught
    threading.excepthook = _uncaught_in_thread


def _uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    mask_error(error)
    sys.stderr.write(masked("".join(traceback.format_exception(kind, error, trace))))


def _uncaught_in_thread(uncaught: threading.ExceptHookArgs) -> None:
    if uncaught.exc_value is not None and uncaught.exc_type is not SystemExit:
        name = uncaught.thread.name if uncaught.thread else "?"
        sys.stderr.write(f"Exception in thread {name}:\n")
        _uncaught(uncaught.exc_type, uncaught.exc_value, uncaught.exc_traceback)
