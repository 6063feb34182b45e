"""Causes of store errors, in Escriba's own words.

obstore's messages may quote whole requests, credentials included. They are searched for known
error codes and never shown.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from obstore.exceptions import BaseError

# obstore also raises a built-in class, for a missing bucket
ERRORS: Final = (BaseError, FileNotFoundError)

_MISSING = ("NoSuchBucket", "ContainerNotFound")
_DENIED = ("AccessDenied", "PermissionDenied", "Unauthenticated", "status code: 403")
_UNREACHABLE = ("error sending request", "Connect", "dns error", "timed out")


@dataclass(frozen=True, slots=True)
class Faults:
    """The error codes of one kind of store, and the settings to check."""

    refused: tuple[str, ...]  # codes for credentials that are wrong or expired
    credentials: str  # the settings that hold them
    endpoint: str  # the settings that say where the store is
    more: Mapping[str, str] = field(default_factory=dict)  # other codes, and what they mean

    def reason(self, error: Exception) -> str:
        """The cause, as far as it is known, and the setting to check."""
        text = f"{type(error).__name__} {error}"
        for codes, cause in self._reasons():
            if any(code in text for code in codes):
                return cause
        return f"{type(error).__name__}; check STORAGE_URL and {self.endpoint}"

    def _reasons(self) -> list[tuple[tuple[str, ...], str]]:
        """The most specific codes first: a refusal has the same status as any other denial."""
        permissions = (
            "access was denied; the credentials need permission to list, read and write there "
            f"(check STORAGE_URL and {self.credentials})"
        )
        network = f"the store cannot be reached; check {self.endpoint} and the network"
        return [
            (_MISSING, "there is no such bucket; check STORAGE_URL"),
            (self.refused, f"the credentials were refused; check {self.credentials}"),
            *(((code,), cause) for code, cause in self.more.items()),
            (_DENIED, permissions),
            (_UNREACHABLE, network),
        ]


def is_bucket_missing(error: Exception) -> bool:
    """Whether the object is missing because the bucket itself is."""
    return any(code in str(error) for code in _MISSING)
