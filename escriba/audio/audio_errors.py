"""Reasons to refuse a recording: one class per cause, each with advice.

Every refusal is permanent: the same bytes are refused again. A message describes what was found but
never names the file; the caller adds the name.
"""

from typing import ClassVar

from escriba.errors import EscribaError


class DecodeStopped(Exception):  # noqa: N818 - the caller's request, not a fault
    """`stop()` became true; nothing is known about the recording."""


class AudioRefused(EscribaError):  # noqa: N818 - a verdict on the file, not a fault of the program
    """A recording that cannot be transcribed as it is.

    Attributes:
        code: Stable name of the cause, for quarantine records and counts.
        advice: What the owner of the file can do next.
        message: What was found, with its values; the same as `str(error)`.
    """

    code: ClassVar[str] = "undecodable"
    advice: ClassVar[str] = "Export the recording again from its source as FLAC, WAV, MP3 or M4A."

    @property
    def message(self) -> str:
        """What was found, without the name of the file."""
        return str(self)


class EmptyFile(AudioRefused):
    """The file has no bytes."""

    code = "empty_file"
    advice = "Upload the file again: the upload probably stopped before its first byte."


class NotAudio(AudioRefused):
    """No supported container format recognizes the bytes: text, garbage, a playlist, an image."""

    code = "not_audio"
    advice = (
        "Check that the file is a recording, and not a document, a playlist or an image with the "
        "name of one. Upload the original recording."
    )


class NoAudioStream(AudioRefused):
    """A valid file without an audio track, such as a silent screen recording."""

    code = "no_audio_stream"
    advice = "Export the video again with its audio, or upload the audio as a separate file."


class UnknownCodec(AudioRefused):
    """The container is readable, but the codec of its audio is not supported."""

    code = "unknown_codec"
    advice = "Convert the recording to FLAC, WAV, MP3 or M4A with the program that created it."


class NoSuchTrack(AudioRefused):
    """The file has fewer audio tracks than the number that was requested."""

    code = "no_such_track"
    advice = (
        "Add the file again with another --track or without it. `ffprobe FILE` lists the tracks."
    )


class DrmProtected(AudioRefused):
    """The audio is encrypted by a shop or a player."""

    code = "drm_protected"
    advice = (
        "Upload a copy without copy protection: only the shop's own player can decrypt this one."
    )


class Truncated(AudioRefused):
    """The file ends before the recording does."""

    code = "truncated"
    advice = "Upload the complete file again, and compare its size with the size of the original."


class NoSamples(AudioRefused):
    """An audio track that lasts 0 s."""

    code = "no_samples"
    advice = "Check the recorder: it wrote a header but no audio."


class Undecodable(AudioRefused):
    """The decoder fails on all of the audio, or on so much of it that the rest is unreliable."""

    code = "undecodable"
