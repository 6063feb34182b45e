"""Causes of store errors, in Escriba's own words, with the store's code and message.

obstore's messages quote whole requests, credentials included, and are never shown.
"""

from dataclasses import dataclass
from typing import Final

from obstore.exceptions import BaseError

from .answer_advice import advice_for
from .store_answer import answer_of

# obstore also raises a built-in class, for a missing bucket
ERRORS: Final = (BaseError, FileNotFoundError)

_MISSING = ("NoSuchBucket", "ContainerNotFound")
_DENIED = ("AccessDenied", "PermissionDenied", "Unauthenticated", "status code: 403")
_EXPIRED = ("ExpiredToken", "TokenRefreshRequired")
_UNREACHABLE = ("error sending request", "Connect", "dns error", "timed out", "request or response")
_CERTIFICATE = ("certificate", "UnknownIssuer", "InvalidCertificate")


@dataclass(frozen=True, slots=True)
class Faults:
    """The error codes of one kind of store, and the settings to check."""

    refused: tuple[str, ...]  # codes for credentials that are wrong
    credentials: str  # the settings that hold them
    endpoint: str  # the settings that say where the store is

    def reason(self, error: Exception) -> str:
        """The cause as far as it is known, the setting to check, and what the store said."""
        said = answer_of(error)
        text = f"{type(error).__name__} {error}"
        for codes, cause in self._first():
            if any(code in text for code in codes):
                return f"{cause}{said.quoted}"
        clause = advice_for(said) or self._from(text)
        return f"{clause}{said.quoted}"

    def _first(self) -> list[tuple[tuple[str, ...], str]]:
        """The causes that come before what the answer means."""
        return [
            (_MISSING, "there is no such bucket; check STORAGE_URL"),
            (_EXPIRED, f"the credentials have expired; renew {self.credentials}"),
            (self.refused, f"the credentials were refused; check {self.credentials}"),
        ]

    def _from(self, text: str) -> str:
        """The cause of an error without a known code, the most specific first."""
        if any(code in text for code in _CERTIFICATE):
            return (
                "the store's certificate is not trusted; set STORAGE_CA_FILE to the certificate "
                f"of the authority that issued it, or check {self.endpoint}"
            )
        if any(code in text for code in _DENIED):
            return (
                "access was denied; the credentials need permission to list, read and write "
                f"there (check STORAGE_URL and {self.credentials})"
            )
        if any(code in text for code in _UNREACHABLE):
            return f"the store cannot be reached; check {self.endpoint} and the network"
        return f"{text.partition(' ')[0]}; check STORAGE_URL and {self.endpoint}"


def is_bucket_missing(error: Exception) -> bool:
    """Whether the object is missing because the bucket itself is."""
    return any(code in str(error) for code in _MISSING)
