"""The default clock for signing addresses."""

from datetime import UTC, datetime


def utc_now() -> datetime:
    """This machine's time, in UTC."""
    return datetime.now(UTC)
