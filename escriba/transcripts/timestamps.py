"""Times for people and players. Seconds are rounded once, to integer milliseconds."""

import math


def to_ms(seconds: float) -> int:
    """Seconds as integer milliseconds, rounded to the nearest (halves to the even one).

    Raises:
        ValueError: The time is negative or not a number.
    """
    if not math.isfinite(seconds) or seconds < 0:
        raise ValueError(f"a time in a recording must be 0 s or more, not {seconds!r}")
    return round(seconds * 1000)


def srt_time(ms: int) -> str:
    """`01:02:03,456`; hours have two digits or more."""
    return _clock(ms, ",")


def vtt_time(ms: int) -> str:
    """`01:02:03.456`; hours have two digits or more (WebVTT, section 3.3)."""
    return _clock(ms, ".")


def text_time(ms: int) -> str:
    """`1:02:03`, rounded down, so that playback from there includes the first word."""
    hours, minutes, seconds, _ = _parts(ms)
    return f"{hours}:{minutes:02d}:{seconds:02d}"


def seconds_text(ms: int) -> str:
    """`3723.456`: seconds with three decimals, exact."""
    _parts(ms)
    return f"{ms // 1000}.{ms % 1000:03d}"


def _clock(ms: int, separator: str) -> str:
    hours, minutes, seconds, rest = _parts(ms)
    return f"{hours:02d}:{minutes:02d}:{seconds:02d}{separator}{rest:03d}"


def _parts(ms: int) -> tuple[int, int, int, int]:
    """Hours, minutes, seconds and milliseconds."""
    if ms < 0:
        raise ValueError(f"a time in a recording must be 0 ms or more, not {ms} ms")
    seconds, rest = divmod(ms, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return hours, minutes, seconds, rest
