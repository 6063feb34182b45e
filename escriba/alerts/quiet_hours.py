"""Hours in which only critical alerts are sent."""

import re
from dataclasses import dataclass
from datetime import datetime, time
from typing import Final

_FORM: Final = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)-([01]?\d|2[0-3]):([0-5]\d)")


@dataclass(frozen=True, slots=True)
class QuietHours:
    """From one time of day until another, past midnight if the second is earlier."""

    since: time
    until: time

    def contain(self, local: datetime) -> bool:
        """Whether a moment, in the time zone of the hours, is quiet."""
        at = local.time()
        if self.since <= self.until:
            return self.since <= at < self.until
        return at >= self.since or at < self.until


def read_quiet_hours(text: str) -> QuietHours | None:
    """The hours of `22:00-07:00`; None for an empty text.

    Raises:
        ValueError: the text is something else.
    """
    if not text:
        return None
    found = _FORM.fullmatch(text.replace(" ", ""))
    if found is None:
        raise ValueError(f"{text!r} is not a span of hours such as 22:00-07:00")
    a, b, c, d = map(int, found.groups())
    return QuietHours(time(a, b), time(c, d))
