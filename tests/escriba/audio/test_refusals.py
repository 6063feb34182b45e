import random

import numpy as np
import pytest

from escriba.audio import audio_errors, header_errors, limit_errors
from escriba.audio.audio_errors import AudioRefused
from escriba.audio.limit_errors import MediaKilled
from escriba.audio.probe import probe


@pytest.fixture
def refused(decode, tmp_path):
    """Decodes bytes or a file that must be refused, and gives the refusal."""

    def refusal(what):
        path = what
        if isinstance(what, bytes):
            path = tmp_path / "refused.mp3"
            path.write_bytes(what)
        with pytest.raises(AudioRefused) as caught:
            decode(path)
        assert caught.value.message
        assert str(tmp_path) not in caught.value.message
        return caught.value

    return refusal


def classes_in(*modules):
    """The refusals that are defined there, without base classes."""
    named = [value for module in modules for value in vars(module).values()]
    kinds = {kind for kind in named if isinstance(kind, type) and issubclass(kind, AudioRefused)}
    return kinds - {AudioRefused, MediaKilled}


def test_every_cause_has_a_code_of_its_own_and_advice():
    causes = classes_in(audio_errors, header_errors, limit_errors)
    assert {cause.code for cause in causes} == {
        "empty_file",
        "not_audio",
        "no_audio_stream",
        "unknown_codec",
        "drm_protected",
        "no_such_track",
        "truncated",
        "no_samples",
        "undecodable",
        "tag_too_large",
        "picture_too_large",
        "impossible_index",
        "impossible_format",
        "took_too_long",
        "took_too_much_cpu",
        "took_too_much_memory",
        "wrote_too_much",
        "opened_too_much",
        "answered_too_much",
        "decoder_crashed",
    }
    assert len({cause.code for cause in causes}) == len(causes)
    assert all(cause.advice for cause in causes)


def test_an_empty_file_is_refused(refused):
    assert refused(b"").code == "empty_file"


@pytest.mark.parametrize(
    "content",
    [
        b"Dear all,\nplease find the minutes of the meeting below.\n" * 200,
        b"hi",
        bytes(100_000),
        b"\xff" * 100_000,
        b"<html><body>Sign in to continue</body></html>",
        b"%PDF-1.7\n" + random.Random(9).randbytes(300_000),
        b"\x89PNG\r\n\x1a\n" + bytes(1000),
        b"PK\x03\x04" + random.Random(3).randbytes(100_000),
        *(random.Random(seed).randbytes(200_000) for seed in range(4)),
    ],
    ids=["text", "two bytes", "zeros", "ones", "html", "pdf", "png", "zip", *"abcd"],
)
def test_what_is_not_audio_is_refused_by_its_bytes_whatever_its_name(content, refused):
    error = refused(content)
    assert error.code == "not_audio"
    assert repr(content[:2])[2:-1] in error.message


def test_a_video_without_sound_is_refused(make_video, refused):
    assert refused(make_video("silent.mp4", sound_codec=None)).code == "no_audio_stream"


@pytest.mark.parametrize("letters", [b"drms", b"enca", b"drmi", b"encv", b"aavd"])
def test_encrypted_sound_is_refused_by_its_letters(letters, make, refused):
    path = make("bought.m4a", "aac")
    path.write_bytes(path.read_bytes().replace(b"mp4a", letters))
    error = refused(path)
    assert error.code == "drm_protected"
    assert letters.decode() in error.message


def test_an_unknown_codec_is_refused_by_its_name(make, refused):
    matroska = make("a.mka", "libmp3lame")
    matroska.write_bytes(matroska.read_bytes().replace(b"A_MPEG/L3", b"A_ZZZZ/L3"))
    wave = make("a.wav", "pcm_s16le")
    wave.write_bytes(wave.read_bytes().replace(b"fmt \x10\0\0\0\1\0", b"fmt \x10\0\0\0\x99\x99"))
    for path, name in ((matroska, "A_ZZZZ/L3"), (wave, "0x9999")):
        error = refused(path)
        assert error.code == "unknown_codec"
        assert name in error.message


@pytest.mark.parametrize(
    ("name", "codec"),
    [
        ("a.mp3", "libmp3lame"),
        ("a.wav", "pcm_s16le"),
        ("a.flac", "flac"),
        ("a.webm", "libopus"),
        ("a.aiff", "pcm_s16be"),
    ],
)
def test_a_file_cut_in_half_is_refused_with_both_lengths(name, codec, make, refused):
    path = make(name, codec, 48_000, seconds=10)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    error = refused(path)
    assert error.code == "truncated"
    assert error.message.startswith("declared 10.0 s, decoded ")


def test_an_m4a_whose_index_was_cut_off_is_refused_as_truncated(make, refused):
    path = make("a.m4a", "aac")
    whole = path.read_bytes()
    assert whole.find(b"moov") > whole.find(b"mdat")
    path.write_bytes(whole[: len(whole) // 2])
    assert refused(path).code == "truncated"
    path.write_bytes(whole[:-200])
    assert refused(path).code == "truncated"


def test_an_m4a_whose_sound_was_cut_off_behind_its_index_is_refused_as_truncated(make, refused):
    path = make("a.m4a", "aac", seconds=10, options={"movflags": "+faststart"})
    whole = path.read_bytes()
    assert whole.find(b"moov") < whole.find(b"mdat")
    path.write_bytes(whole[: len(whole) // 2])
    assert refused(path).code == "truncated"


def test_a_header_without_sound_is_refused_as_zero_seconds(make, refused):
    path = make("a.wav", "pcm_s16le", 16_000, "mono")
    header = bytearray(path.read_bytes()[:78])
    header[74:78] = bytes(4)
    path.write_bytes(header)
    assert refused(path).code == "no_samples"


def test_sound_that_is_mostly_garbage_is_refused(make, refused):
    path = make("a.m4a", "aac")
    content = bytearray(path.read_bytes())
    content[2000:60_000] = random.Random(1).randbytes(58_000)
    path.write_bytes(content)
    error = refused(path)
    assert error.code == "undecodable"
    assert "packets of aac" in error.message


def test_a_missing_file_is_no_verdict_on_audio(tmp_path):
    with pytest.raises(FileNotFoundError):
        probe(tmp_path / "gone.mp3")


def test_a_single_bad_packet_condemns_nothing(make, decode):
    path = make("a.mp3", "libmp3lame", 44_100, "mono", seconds=20)
    content = bytearray(path.read_bytes())
    content[50_000:50_300] = bytes(300)
    path.write_bytes(content)
    assert np.abs(decode(path)).max() > 0
