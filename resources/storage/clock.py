"""The clock by which addresses are signed, where no other is given."""

from datetime import UTC, datetime


def utc_now() -> datetime:
    """The time of this machine."""
    return datetime.now(UTC)
