"""Whether what was decoded is the whole recording, and what is odd about it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from pipelines.speech.audio_errors import NoSamples, Truncated, Undecodable
from pipelines.speech.probe import AudioProbe
from pipelines.speech.recording_warnings import RecordingWarning

TOLERANCE_MS: Final = 2000  # encoder delays, a last packet, headers in whole seconds
TOLERANCE_SHARE: Final = 0.01  # clocks of recorders drift; 1 % of an hour is 36 s
TOLD_FROM_MS: Final = 500  # silence and stretching below are of no interest to anybody
BAD_PACKETS_SHARE: Final = 0.1
BAD_PACKETS_FREE: Final = 3  # so that one bad packet does not condemn a recording of a second


@dataclass(frozen=True)
class Tally:
    """What decoding a whole file gave.

    Of `decoded_ms`, `silence_ms` only fill holes, and `stretched_ms` come of resampling to the
    container's clock; `skipped_ms` are leaps of that clock too long to be filled, which are missing
    from both.
    """

    decoded_ms: int
    packets: int
    bad_packets: int
    silence_ms: int = 0
    skipped_ms: int = 0
    stretched_ms: int = 0
    broken_by: str = ""


def judge(probe: AudioProbe, tally: Tally) -> tuple[RecordingWarning, ...]:
    """Warnings for a recording that can be used.

    A trusted length that is missed by more than 2 s and 1 % means a truncated file. More than one
    bad packet in ten means a damaged one; fewer are a warning.

    Raises:
        Undecodable: Nothing, or too little, could be decoded.
        Truncated: Clearly shorter than the file itself says.
        NoSamples: Well-formed, and 0 s long.
    """
    if tally.bad_packets > max(BAD_PACKETS_FREE, tally.packets * BAD_PACKETS_SHARE) or (
        tally.bad_packets and not tally.decoded_ms
    ):
        raise Undecodable(
            f"{tally.bad_packets} of {tally.packets} packets of {probe.codec} cannot be decoded"
        )
    missing_ms = (probe.declared_ms or 0) - tally.decoded_ms - tally.skipped_ms
    if probe.declared_is_trusted and missing_ms > _tolerance_ms(probe):
        raise Truncated(_lengths(probe, tally))
    if not tally.decoded_ms:
        raise NoSamples(f"a {probe.container} file with 0 s of {probe.codec}")
    return tuple(
        RecordingWarning(code=code, message=message) for code, message in _oddities(probe, tally)
    )


def length_agrees(declared_ms: int | None, decoded_ms: int) -> bool:
    """Whether what was decoded is as long as declared, within 2 s or 1 %; nothing declared is."""
    if declared_ms is None:
        return True
    return abs(declared_ms - decoded_ms) <= max(TOLERANCE_MS, declared_ms * TOLERANCE_SHARE)


def _oddities(probe: AudioProbe, tally: Tally) -> Iterator[tuple[str, str]]:
    """Code and sentence of each."""
    if tally.bad_packets:
        bad = f"{tally.bad_packets} of {tally.packets} packets"
        yield "bad_packets", f"{bad} could not be decoded; their sound is missing."
    if tally.broken_by:
        yield "ended_early", f"Reading the file ended early: {tally.broken_by}."
    if tally.silence_ms >= TOLD_FROM_MS:
        silence = _seconds(tally.silence_ms)
        yield "silence_put_in", f"{silence} for which the file holds no sound became silence."
    if abs(tally.stretched_ms) >= TOLD_FROM_MS:
        way = "stretched" if tally.stretched_ms > 0 else "shortened"
        amount = _seconds(abs(tally.stretched_ms))
        told = f"The recorder's clock and its sound differ: sound was {way} by {amount}."
        yield "clock_is_off", told
    if tally.skipped_ms:
        leap = _seconds(tally.skipped_ms)
        yield "clock_leaps", f"The file's clock leaps by {leap}; later times count without it."
    sound_ms = tally.decoded_ms - tally.silence_ms
    difference_ms = sound_ms - (probe.declared_ms or sound_ms)
    if difference_ms > _tolerance_ms(probe):
        yield "longer_than_declared", f"Longer than the file says: {_lengths(probe, tally)}."
    if not probe.declared_is_trusted and tally.decoded_ms + _tolerance_ms(probe) < (
        probe.declared_ms or 0
    ):
        yield "shorter_than_declared", f"Shorter than the file suggests: {_lengths(probe, tally)}."


def _lengths(probe: AudioProbe, tally: Tally) -> str:
    lengths = f"declared {_seconds(probe.declared_ms)}, decoded {_seconds(tally.decoded_ms)}"
    bad = f", {tally.bad_packets} of {tally.packets} packets bad" if tally.bad_packets else ""
    return lengths + bad


def _tolerance_ms(probe: AudioProbe) -> float:
    return max(TOLERANCE_MS, (probe.declared_ms or 0) * TOLERANCE_SHARE)


def _seconds(ms: int | None) -> str:
    return f"{(ms or 0) / 1000:.1f} s"
