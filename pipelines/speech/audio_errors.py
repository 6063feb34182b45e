"""Why a recording is refused: one class for each cause, each with what to do next.

Every refusal is permanent: the same bytes will be refused again. A message names what was seen,
never the file; its name is added by whoever knows it.
"""

from typing import ClassVar


class AudioRefused(Exception):  # noqa: N818 - a verdict on the file, not a fault of the program
    """A recording that cannot be transcribed as it is.

    Attributes:
        code: Stable name of the cause, for quarantine records and counts.
        advice: What the file's owner can do next.
        message: What was seen, with its values; the same as `str(error)`.
    """

    code: ClassVar[str] = "undecodable"
    advice: ClassVar[str] = "Export the recording again from its source, as FLAC, WAV, MP3 or M4A."

    @property
    def message(self) -> str:
        """What was seen, without the file's name."""
        return str(self)


class EmptyFile(AudioRefused):
    """The file has no bytes."""

    code = "empty_file"
    advice = "Upload the file again: the upload was probably cut off before its first byte."


class NotAudio(AudioRefused):
    """No container of the whitelist recognises the bytes: text, garbage, a playlist, a picture."""

    code = "not_audio"
    advice = (
        "Check that the file is a recording and not a document, a playlist or a picture under the "
        "name of one; upload the recording itself."
    )


class NoAudioStream(AudioRefused):
    """A well-formed file without sound, such as a silent screen recording."""

    code = "no_audio_stream"
    advice = "Export the video again with its sound, or upload the sound as a file of its own."


class UnknownCodec(AudioRefused):
    """The container is readable, but nothing here decodes the sound inside it."""

    code = "unknown_codec"
    advice = "Convert the recording to FLAC, WAV, MP3 or M4A with the program that made it."


class NoSuchTrack(AudioRefused):
    """The file has fewer sounds than the number that was asked for."""

    code = "no_such_track"
    advice = "Add the file again with another --track, or without: `ffprobe FILE` lists them."


class DrmProtected(AudioRefused):
    """The sound is encrypted by a shop or a player."""

    code = "drm_protected"
    advice = "Upload a copy without protection; a protected one can only be played by its shop."


class Truncated(AudioRefused):
    """The file ends before the recording does."""

    code = "truncated"
    advice = "Upload the file again in full, and compare its size with the original's."


class NoSamples(AudioRefused):
    """A sound stream that holds no sound at all: 0 s."""

    code = "no_samples"
    advice = "Check the recorder: it wrote a header and no sound."


class Undecodable(AudioRefused):
    """The decoder fails on all of the sound, or on too much of it to trust the rest."""

    code = "undecodable"
