"""Names, by their first bytes, the files that no demuxer opens, for error messages."""

from typing import Final, NamedTuple


class FileKind(NamedTuple):
    """A kind of file: where its signature is, the signature, a name, and whether it is audio."""

    offset: int
    signature: bytes
    name: str
    is_audio: bool


# Longer signatures come before those with which they begin.
KINDS: Final = (
    FileKind(0, b"\x03enc", "an encrypted DS2 dictation", is_audio=True),
    FileKind(0, b"\x03ds2", "a DSS Pro dictation (DS2)", is_audio=True),
    FileKind(0, b"\x07ds2", "a DSS Pro dictation (DS2)", is_audio=True),
    FileKind(0, b"MS_VOICE", "a Sony voice file (DVF, MSV)", is_audio=True),
    FileKind(0, b".RMF", "a RealMedia file", is_audio=True),
    FileKind(0, b".ra\xfd", "a RealAudio file", is_audio=True),
    FileKind(0, b"\x06\x0e\x2b\x34\x02\x05\x01\x01", "an MXF file", is_audio=True),
    FileKind(0, b"NIST_1A", "a NIST SPHERE file (possibly Shorten-compressed)", is_audio=True),
    FileKind(0, b"\x7f\xfe\x80\x01", "a DTS stream", is_audio=True),
    FileKind(0, b"\xfe\x7f\x01\x80", "a DTS stream", is_audio=True),
    FileKind(0, b"DTSHDHDR", "a DTS-HD file", is_audio=True),
    FileKind(0, b"\xac\x40", "an AC-4 stream", is_audio=True),
    FileKind(0, b"\xac\x41", "an AC-4 stream", is_audio=True),
    FileKind(0, b"OFR ", "an OptimFROG file", is_audio=True),
    FileKind(0, b"LA0", "a Lossless Audio file", is_audio=True),
    FileKind(0, b"Extended Module", "a tracker module", is_audio=True),
    FileKind(0, b"MThd", "a MIDI file, which holds notes and no audio", is_audio=False),
    FileKind(0, b"%PDF", "a PDF document", is_audio=False),
    FileKind(0, b"PK\x03\x04", "a ZIP archive or an office document", is_audio=False),
    FileKind(0, b"\xd0\xcf\x11\xe0", "an office document in an older format", is_audio=False),
    FileKind(0, b"Rar!", "a RAR archive", is_audio=False),
    FileKind(0, b"7z\xbc\xaf\x27\x1c", "a 7z archive", is_audio=False),
    FileKind(0, b"\x1f\x8b", "a gzip archive", is_audio=False),
    FileKind(0, b"\x89PNG", "a PNG image", is_audio=False),
    FileKind(0, b"\xff\xd8\xff", "a JPEG image", is_audio=False),
    FileKind(0, b"GIF8", "a GIF image", is_audio=False),
    FileKind(8, b"WEBP", "a WebP image", is_audio=False),
    FileKind(4, b"ftyphei", "a HEIC image", is_audio=False),
    FileKind(0, b"\x00\x05\x16\x07", "a macOS metadata file (._)", is_audio=False),
    FileKind(0, b"bplist", "a property list", is_audio=False),
    FileKind(0, b"#EXTM3U", "a playlist, not the recordings that it lists", is_audio=False),
    FileKind(0, b"[playlist]", "a playlist, not the recordings that it lists", is_audio=False),
    FileKind(0, b"ffconcat", "a list of files, not the recordings that it lists", is_audio=False),
    FileKind(0, b"<!DOCTYPE", "a web page", is_audio=False),
    FileKind(0, b"<html", "a web page", is_audio=False),
    FileKind(0, b"<?xml", "an XML document", is_audio=False),
    FileKind(0, b"{\\rtf", "an RTF document", is_audio=False),
    FileKind(0, b"WEBVTT", "a subtitle file", is_audio=False),
)
HEAD_BYTES: Final = 64


def kind_of(head: bytes) -> FileKind | None:
    """The kind with that signature; None if the list has none."""
    return next((kind for kind in KINDS if head[kind.offset :].startswith(kind.signature)), None)
