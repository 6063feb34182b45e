"""What a store's answer means, and what to do about it."""

from collections.abc import Callable
from typing import Final

from .store_answer import StoreAnswer

_SERVER_ERROR, _TOO_MANY, _REDIRECTS = 500, 429, frozenset({301, 302, 307})
_CONTENT_CHECKSUM: Final = ("Content-MD5", "x-amz-checksum", "Object Lock")

_SKEW: Final = (
    "this machine's clock and the store's differ by more than the store allows; set the clock "
    "(`timedatectl set-ntp true`)"
)
_ARCHIVED: Final = (
    "the object is in an archive (such as Glacier) and cannot be read; restore it, and exclude "
    "this prefix from the bucket's lifecycle rule"
)
_LOCKED: Final = (
    "the bucket's object lock refuses writes without a checksum; use a bucket without object lock"
)
_PATH_STYLE: Final = (
    "the store wants the bucket's name in the host name; set AWS_VIRTUAL_HOSTS=true"
)
_SIMPLY: Final[dict[str, str]] = {
    "RequestTimeTooSkewed": _SKEW,
    "RequestInTheFuture": _SKEW,
    "InvalidObjectState": _ARCHIVED,
    "BlobArchived": _ARCHIVED,
    "BlobBeingRehydrated": _ARCHIVED,
    "SecondLevelDomainForbidden": _PATH_STYLE,
    "PathStyleNotSupported": _PATH_STYLE,
    "PathStyleDomainForbidden": _PATH_STYLE,
    "InvalidPathStyle": _PATH_STYLE,
    "QuotaExceeded": "the store's quota is used up; free some space there, or raise the quota",
    "XMinioStorageFull": "the store's disk is full; free some space there",
    "EntityTooLarge": "the object is larger than the store allows; raise its limit",
    "KMS.DisabledException": "the key that encrypts the bucket is disabled; enable it",
    "AllAccessDisabled": "the bucket is blocked by its provider; ask them",
    "UserDisabled": "the account is disabled; check it with the provider",
    "AccountIsDisabled": "the account is disabled; check it with the provider",
    "NotEntitled": "the account has no subscription to the store; check it with the provider",
}
_ANOTHER_REGION: Final = frozenset({"PermanentRedirect", "IllegalLocationConstraintException"})


def advice_for(said: StoreAnswer) -> str:
    """What happened and what to do, in one clause; empty if the answer is not a known one."""
    if said.code in _SIMPLY:
        return _SIMPLY[said.code]
    return next((clause for knows in _KINDS if (clause := knows(said))), "")


def _another_region(said: StoreAnswer) -> str:
    if not (said.region or said.code in _ANOTHER_REGION or said.status in _REDIRECTS):
        return ""
    where = f"; set AWS_REGION={said.region}" if said.region else "; check AWS_REGION"
    return f"the bucket is in another region{where} (and AWS_ENDPOINT_URL, if it names a region)"


def _not_implemented(said: StoreAnswer) -> str:
    if not said.is_not_implemented:
        return ""
    return (
        "the store does not implement this request; if it has no conditional writes, use another "
        "one (docs/storage.md)"
    )


def _wants_checksum(said: StoreAnswer) -> str:
    return _LOCKED if any(word in said.message for word in _CONTENT_CHECKSUM) else ""


def _overloaded(said: StoreAnswer) -> str:
    if said.status >= _SERVER_ERROR or said.status == _TOO_MANY or said.code == "SlowDown":
        status = f"HTTP {said.status}" if said.status else said.code
        return f"the store is overloaded or out of order ({status}), also after retries; run later"
    return ""


_KINDS: Final[tuple[Callable[[StoreAnswer], str], ...]] = (
    _another_region,
    _not_implemented,
    _wants_checksum,
    _overloaded,
)
