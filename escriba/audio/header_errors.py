"""Refusals of a file by its headers alone, before any decoder opens it."""

from .audio_errors import AudioRefused

_WITHOUT_TAGS = "Export the recording again without tags and pictures, or as WAV."


class TagTooLarge(AudioRefused):
    """The tag (title, comments) is larger than any real one, or has too many entries."""

    code = "tag_too_large"
    advice = _WITHOUT_TAGS


class PictureTooLarge(AudioRefused):
    """The file has a picture larger than any cover."""

    code = "picture_too_large"
    advice = _WITHOUT_TAGS


class ImpossibleIndex(AudioRefused):
    """The index announces more audio than the file can hold."""

    code = "impossible_index"
    advice = (
        "Upload the original file again: its index is damaged. If it was repaired by a program, "
        "export it again from its source."
    )


class ImpossibleFormat(AudioRefused):
    """The file announces more channels and samples a second than any recorder gives."""

    code = "impossible_format"
    advice = "Export the recording again with at most 8 channels and 192 kHz."
