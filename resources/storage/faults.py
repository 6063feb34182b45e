"""What is wrong with a store, in words of ours.

The messages of obstore may quote whole requests, with credentials in them: they are searched for
what they tell of, and never shown.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from obstore.exceptions import BaseError

# obstore raises one of Python's own classes too, for a bucket that is not there
ERRORS: Final = (BaseError, FileNotFoundError)

_MISSING = ("NoSuchBucket", "ContainerNotFound")
_DENIED = ("AccessDenied", "PermissionDenied", "Unauthenticated", "status code: 403")
_UNREACHABLE = ("error sending request", "Connect", "dns error", "timed out")


@dataclass(frozen=True, slots=True)
class Faults:
    """How one kind of store tells what is wrong, and which settings are to be checked."""

    refused: tuple[str, ...]  # codes of credentials that are wrong or over
    credentials: str  # what they are set by
    endpoint: str
    more: Mapping[str, str] = field(default_factory=dict)  # a code of its own, and what it means

    def reason(self, error: Exception) -> str:
        """The cause, as far as it can be told, and what to check."""
        text = f"{type(error).__name__} {error}"
        for signs, said in self._reasons():
            if any(sign in text for sign in signs):
                return said
        return type(error).__name__

    def _reasons(self) -> list[tuple[tuple[str, ...], str]]:
        """The clearest signs first: a refusal comes with the status of any other denial."""
        leave = "access was denied; the credentials need leave to list, read and write there"
        network = f"the store cannot be reached; check {self.endpoint} and the network"
        return [
            (_MISSING, "there is no such bucket; check STORAGE_URL"),
            (self.refused, f"the credentials were refused; check {self.credentials}"),
            *(((code,), said) for code, said in self.more.items()),
            (_DENIED, leave),
            (_UNREACHABLE, network),
        ]


def is_bucket_missing(error: Exception) -> bool:
    """Whether nothing is there because the bucket itself is not."""
    return any(sign in str(error) for sign in _MISSING)
