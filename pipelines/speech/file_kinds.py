"""What a file is that no demuxer here opens, by its first bytes: so that an error can say it."""

from typing import Final, NamedTuple


class Kind(NamedTuple):
    """A kind of file: where its letters stand, what people call it, and whether it holds sound."""

    offset: int
    letters: bytes
    name: str
    is_sound: bool


# Longer letters first where one begins like another.
KINDS: Final = (
    Kind(0, b"\x03enc", "an encrypted dictation (DS2)", is_sound=True),
    Kind(0, b"\x03ds2", "a dictation in DSS Pro (DS2)", is_sound=True),
    Kind(0, b"\x07ds2", "a dictation in DSS Pro (DS2)", is_sound=True),
    Kind(0, b"MS_VOICE", "a Sony voice file (DVF, MSV)", is_sound=True),
    Kind(0, b".RMF", "a RealMedia file", is_sound=True),
    Kind(0, b".ra\xfd", "a RealAudio file", is_sound=True),
    Kind(0, b"\x06\x0e\x2b\x34\x02\x05\x01\x01", "an MXF file", is_sound=True),
    Kind(0, b"NIST_1A", "a NIST SPHERE file (Shorten-compressed, perhaps)", is_sound=True),
    Kind(0, b"\x7f\xfe\x80\x01", "a DTS stream", is_sound=True),
    Kind(0, b"\xfe\x7f\x01\x80", "a DTS stream", is_sound=True),
    Kind(0, b"DTSHDHDR", "a DTS-HD file", is_sound=True),
    Kind(0, b"\xac\x40", "an AC-4 stream", is_sound=True),
    Kind(0, b"\xac\x41", "an AC-4 stream", is_sound=True),
    Kind(0, b"OFR ", "an OptimFROG file", is_sound=True),
    Kind(0, b"LA0", "a Lossless Audio file", is_sound=True),
    Kind(0, b"Extended Module", "a tracker module", is_sound=True),
    Kind(0, b"MThd", "a MIDI file: notes, and no voices", is_sound=False),
    Kind(0, b"%PDF", "a PDF document", is_sound=False),
    Kind(0, b"PK\x03\x04", "a ZIP archive, or a document of an office suite", is_sound=False),
    Kind(0, b"\xd0\xcf\x11\xe0", "a document of an older office suite", is_sound=False),
    Kind(0, b"Rar!", "a RAR archive", is_sound=False),
    Kind(0, b"7z\xbc\xaf\x27\x1c", "a 7z archive", is_sound=False),
    Kind(0, b"\x1f\x8b", "a gzip archive", is_sound=False),
    Kind(0, b"\x89PNG", "a PNG picture", is_sound=False),
    Kind(0, b"\xff\xd8\xff", "a JPEG picture", is_sound=False),
    Kind(0, b"GIF8", "a GIF picture", is_sound=False),
    Kind(8, b"WEBP", "a WebP picture", is_sound=False),
    Kind(4, b"ftyphei", "a HEIC picture", is_sound=False),
    Kind(0, b"\x00\x05\x16\x07", "what macOS keeps beside a file (._)", is_sound=False),
    Kind(0, b"bplist", "a property list", is_sound=False),
    Kind(0, b"#EXTM3U", "a playlist: upload what it names", is_sound=False),
    Kind(0, b"[playlist]", "a playlist: upload what it names", is_sound=False),
    Kind(0, b"ffconcat", "a list of files: upload what it names", is_sound=False),
    Kind(0, b"<!DOCTYPE", "a web page", is_sound=False),
    Kind(0, b"<html", "a web page", is_sound=False),
    Kind(0, b"<?xml", "an XML text", is_sound=False),
    Kind(0, b"{\\rtf", "a text in RTF", is_sound=False),
    Kind(0, b"WEBVTT", "subtitles", is_sound=False),
)
HEAD_BYTES: Final = 64


def kind_of(head: bytes) -> Kind | None:
    """The kind that begins so; None for what is not in the list."""
    return next((k for k in KINDS if head[k.offset : k.offset + len(k.letters)] == k.letters), None)
