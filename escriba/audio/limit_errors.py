"""Refusals of a file whose process was ended: one class for each limit, and for a crash.

Whether a limit was reached may depend on the machine and on what else it did, so a file gets a
second try (`intake/quarantine.py`).
"""

from .audio_errors import AudioRefused

_EXPORT = "Export the recording again from its source as FLAC or WAV, without tags and pictures"


class MediaKilled(AudioRefused):
    """The process that read the file was ended, so that nothing else suffered."""


class TookTooLong(MediaKilled):
    """Reading the file took more wall time than allowed."""

    code = "took_too_long"
    advice = f"{_EXPORT}; if the machine is slow, raise MEDIA_WALL_SECONDS."


class TookTooMuchCpu(MediaKilled):
    """Reading the file took more CPU time than allowed."""

    code = "took_too_much_cpu"
    advice = f"{_EXPORT}; if the machine is slow, raise MEDIA_CPU_SECONDS."


class TookTooMuchMemory(MediaKilled):
    """Reading the file took more memory than allowed."""

    code = "took_too_much_memory"
    advice = f"{_EXPORT}; if the recording really needs it, raise MEDIA_MEMORY_MB."


class WroteTooMuch(MediaKilled):
    """The optimized audio became larger than allowed."""

    code = "wrote_too_much"
    advice = "Split the recording, or raise MEDIA_OUTPUT_MB."


class OpenedTooMuch(MediaKilled):
    """Reading the file opened more files than allowed."""

    code = "opened_too_much"
    advice = f"{_EXPORT}."


class AnsweredTooMuch(MediaKilled):
    """The process gave a longer answer than any recording has."""

    code = "answered_too_much"
    advice = f"{_EXPORT}."


class DecoderCrashed(MediaKilled):
    """The decoder crashed on the file, or something else killed its process."""

    code = "decoder_crashed"
    advice = f"{_EXPORT}. If good recordings fail like this too, check the machine's memory."
