"""ETags in one form: stores write the same one weak, quoted or bare, and some write none."""

from datetime import datetime


def plain_etag(etag: str | None) -> str:
    """Without quotes and the mark of a weak one, for comparison; empty if there is none."""
    return (etag or "").strip().removeprefix("W/").strip('"')


def version_of(etag: str | None, size_bytes: int, modified: datetime) -> str:
    """The ETag in plain form; size and time of the object where the store gives none.

    Whole seconds, since listings have fractions and headers do not.
    """
    return plain_etag(etag) or f"{size_bytes:x}-{int(modified.timestamp()):x}"
