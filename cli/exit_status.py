"""The exit statuses of `escriba`, for scripts; docs/operations.md has the same table."""

from typing import Final

SUCCESS: Final = 0
SOME_FAILED: Final = 1
COULD_NOT_START: Final = 2
DEFERRED: Final = 3
INTERRUPTED: Final = 130  # as shells count Ctrl-C: 128 + SIGINT

MEANINGS: Final = {
    SUCCESS: "success",
    SOME_FAILED: "some recordings failed, or `doctor` found something broken",
    COULD_NOT_START: "could not start, or stopped before the end; nothing is wrong with the files",
    DEFERRED: "nothing failed, but some recordings wait for budget",
    INTERRUPTED: "interrupted by Ctrl-C or SIGTERM; the next run continues",
}


def in_one_sentence() -> str:
    """All of them, for `escriba --help`."""
    return ", ".join(f"{status} {meaning}" for status, meaning in MEANINGS.items())
