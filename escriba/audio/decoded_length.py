"""Judges whether the whole recording was decoded, with warnings about the rest."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from escriba.recording_warnings import RecordingWarning

from .audio_errors import NoSamples, Truncated, Undecodable
from .audio_probe import AudioProbe

TOLERANCE_MS: Final = 2000  # encoder delays, a last packet, headers in whole seconds
TOLERANCE_SHARE: Final = 0.01  # clocks of recorders drift; 1 % of an hour is 36 s
WARNING_FROM_MS: Final = 500  # less silence or stretching does not matter to anyone
BAD_PACKETS_SHARE: Final = 0.1
BAD_PACKETS_FREE: Final = 3  # a single damaged packet must not condemn a recording of one second


@dataclass(frozen=True)
class DecodedTotals:
    """The totals of a decoded file.

    `decoded_ms` includes `silence_ms`, which fill gaps, and `stretched_ms`, from resampling to the
    clock of the container. `skipped_ms` are jumps of that clock too long to fill; no total includes
    them.
    """

    decoded_ms: int
    packets: int
    bad_packets: int
    silence_ms: int = 0
    skipped_ms: int = 0
    stretched_ms: int = 0
    broken_by: str = ""


def judge(probe: AudioProbe, totals: DecodedTotals) -> tuple[RecordingWarning, ...]:
    """Warnings for a usable recording.

    A file that is more than 2 s and 1 % shorter than its trusted length is truncated. A file with
    more than one damaged packet in ten is undecodable; fewer cause a warning.

    Raises:
        Undecodable: Nothing or too little could be decoded.
        Truncated: The audio is clearly shorter than the file states.
        NoSamples: The file is valid but 0 s long.
    """
    if totals.bad_packets > max(BAD_PACKETS_FREE, totals.packets * BAD_PACKETS_SHARE) or (
        totals.bad_packets and not totals.decoded_ms
    ):
        raise Undecodable(
            f"{totals.bad_packets} of {totals.packets} packets of {probe.codec} cannot be decoded"
        )
    missing_ms = (probe.declared_ms or 0) - totals.decoded_ms - totals.skipped_ms
    if probe.declared_is_trusted and missing_ms > _tolerance_ms(probe):
        raise Truncated(_lengths(probe, totals))
    if not totals.decoded_ms:
        raise NoSamples(f"the {probe.container} file holds 0 s of {probe.codec} audio")
    return tuple(
        RecordingWarning(code=code, message=message) for code, message in _warnings(probe, totals)
    )


def length_agrees(declared_ms: int | None, decoded_ms: int) -> bool:
    """Whether the decoded length is the declared one within 2 s or 1 %; True if there is none."""
    if declared_ms is None:
        return True
    return abs(declared_ms - decoded_ms) <= max(TOLERANCE_MS, declared_ms * TOLERANCE_SHARE)


def _warnings(probe: AudioProbe, totals: DecodedTotals) -> Iterator[tuple[str, str]]:
    """Code and message of each warning."""
    if totals.bad_packets:
        bad = f"{totals.bad_packets} of {totals.packets} packets"
        yield "bad_packets", f"{bad} could not be decoded; their audio is missing."
    if totals.broken_by:
        yield "ended_early", f"Reading the file ended early: {totals.broken_by}."
    if totals.silence_ms >= WARNING_FROM_MS:
        silence = _seconds(totals.silence_ms)
        yield "silence_put_in", f"The file holds no audio for {silence}, which became silence."
    if abs(totals.stretched_ms) >= WARNING_FROM_MS:
        way = "stretched" if totals.stretched_ms > 0 else "shortened"
        amount = _seconds(abs(totals.stretched_ms))
        message = f"The recorder's clock and its audio differ; the audio was {way} by {amount}."
        yield "clock_is_off", message
    if totals.skipped_ms:
        jump = _seconds(totals.skipped_ms)
        yield "clock_leaps", f"The timestamps jump by {jump}; later times do not include the jump."
    yield from _length_warnings(probe, totals)


def _length_warnings(probe: AudioProbe, totals: DecodedTotals) -> Iterator[tuple[str, str]]:
    sound_ms = totals.decoded_ms - totals.silence_ms
    difference_ms = sound_ms - (probe.declared_ms or sound_ms)
    if difference_ms > _tolerance_ms(probe):
        yield (
            "longer_than_declared",
            f"The audio is longer than the file declares: {_lengths(probe, totals)}.",
        )
    if not probe.declared_is_trusted and totals.decoded_ms + _tolerance_ms(probe) < (
        probe.declared_ms or 0
    ):
        yield (
            "shorter_than_declared",
            f"The audio is shorter than the file suggests: {_lengths(probe, totals)}.",
        )


def _lengths(probe: AudioProbe, totals: DecodedTotals) -> str:
    lengths = f"declared {_seconds(probe.declared_ms)}, decoded {_seconds(totals.decoded_ms)}"
    bad = (
        f", {totals.bad_packets} of {totals.packets} packets damaged" if totals.bad_packets else ""
    )
    return lengths + bad


def _tolerance_ms(probe: AudioProbe) -> float:
    return max(TOLERANCE_MS, (probe.declared_ms or 0) * TOLERANCE_SHARE)


def _seconds(ms: int | None) -> str:
    return f"{(ms or 0) / 1000:.1f} s"
