import struct

import pytest

from escriba.audio.audio_probe import AudioProbe
from escriba.audio.decode import decode_blocks
from escriba.audio.decoded_length import DecodedTotals, judge
from escriba.audio.mp3_tag import stated_mp3_ms
from escriba.audio.probe import probe

UNTAGGED = {"write_xing": "0", "id3v2_version": "0"}


def decoded(path):
    decoder = decode_blocks(path, channels="mixed", stop=lambda: False)
    list(decoder)
    return decoder


@pytest.mark.parametrize(
    ("name", "codec"),
    [
        ("a.mp3", "libmp3lame"),
        ("a.m4a", "aac"),
        ("a.wav", "pcm_s16le"),
        ("a.flac", "flac"),
        ("a.mka", "libmp3lame"),
        ("a.aiff", "pcm_s16be"),
    ],
)
def test_a_length_in_the_header_is_trusted(name, codec, make):
    found = probe(make(name, codec))
    assert found.declared_is_trusted
    assert found.declared_ms == pytest.approx(5000, abs=60)


@pytest.mark.parametrize(
    ("name", "codec", "options"),
    [
        ("a.mp3", "libmp3lame", UNTAGGED),
        ("a.aac", "aac", {}),
        ("a.ogg", "libopus", {}),
        ("a.ts", "aac", {}),
        ("fragments.mp4", "aac", {"movflags": "+frag_keyframe+empty_moov"}),
    ],
)
def test_an_estimate_is_not_trusted(name, codec, options, make):
    found = probe(make(name, codec, 48_000, options=options))
    assert not found.declared_is_trusted


def test_an_mp3_of_changing_bitrate_without_a_tag_is_not_refused_for_being_shorter(make):
    loud = make("1.mp3", "libmp3lame", options=UNTAGGED, codec_options={"b": "64000"})
    thin = make("2.mp3", "libmp3lame", options=UNTAGGED, codec_options={"b": "320000"})
    loud.write_bytes(loud.read_bytes() + thin.read_bytes() * 3)
    assert probe(loud).declared_ms > 30_000
    found = decoded(loud)
    assert found.decoded_ms == pytest.approx(20_000, abs=200)
    assert found.warnings[-1].code == "shorter_than_declared"


def test_two_mp3_files_joined_end_to_end_are_used_in_full(make):
    path = make("a.mp3", "libmp3lame")
    path.write_bytes(path.read_bytes() * 2)
    assert not probe(path).declared_is_trusted
    assert decoded(path).decoded_ms == pytest.approx(10_000, abs=100)


def test_a_tag_behind_a_large_cover_picture_is_found(make):
    path = make("a.mp3", "libmp3lame", options={"id3v2_version": "0"})
    size = 300_000
    digits = bytes((size >> shift) & 0x7F for shift in (21, 14, 7, 0))
    path.write_bytes(b"ID3\x04\0\0" + digits + bytes(size) + path.read_bytes())
    assert probe(path).declared_is_trusted


def test_a_vbri_tag_states_a_length(tmp_path):
    frame = bytes.fromhex("fffb9000") + bytes(32)
    vbri = b"VBRI" + bytes(6) + struct.pack(">II", 0, 1000) + bytes(200)
    path = tmp_path / "a.mp3"
    path.write_bytes(frame + vbri)
    with path.open("rb") as file:
        assert stated_mp3_ms(file, path.stat().st_size) == 1000 * 1152 * 1000 // 44_100


@pytest.mark.parametrize("size", [0, 0xFFFFFFFF, 0x7FFFFFFF])
def test_a_wav_of_unknown_size_is_read_to_its_end(size, make):
    path = make("streamed.wav", "pcm_s16le", 16_000, "mono")
    content = bytearray(path.read_bytes())
    place = content.index(b"data") + 4
    content[place : place + 4] = struct.pack("<I", size)
    path.write_bytes(content)
    assert not probe(path).declared_is_trusted
    assert decoded(path).decoded_ms == 5000


def test_a_matroska_video_is_trusted_only_by_the_tag_of_its_sound(
    make_video,
):
    path = make_video("talk.mkv")
    assert probe(path).declared_is_trusted
    path.write_bytes(path.read_bytes().replace(b"DURATION", b"XURATION"))
    assert not probe(path).declared_is_trusted


def described(declared_ms, *, trusted=True):
    return AudioProbe("mp3", "mp3", 1, 44_100, declared_ms, trusted, 1000, 1)


@pytest.mark.parametrize(
    ("declared_ms", "decoded_ms", "is_refused"),
    [
        (10_000, 8000, False),
        (10_000, 7999, True),
        (600_000, 594_000, False),
        (600_000, 319_800, True),
        (3_600_000, 3_564_000, False),
        (3_600_000, 3_563_999, True),
    ],
)
def test_two_seconds_and_one_percent_may_be_missing(declared_ms, decoded_ms, is_refused):
    tally = DecodedTotals(decoded_ms, 100, 0)
    if is_refused:
        with pytest.raises(Exception, match=r"declared .* s, decoded .* s") as caught:
            judge(described(declared_ms), tally)
        assert caught.value.code == "truncated"
    else:
        assert judge(described(declared_ms), tally) == ()


def test_a_longer_recording_than_declared_is_a_warning():
    (warning,) = judge(described(10_000), DecodedTotals(20_000, 100, 0))
    assert warning.code == "longer_than_declared"
    assert (
        warning.message
        == "The audio is longer than the file declares: declared 10.0 s, decoded 20.0 s."
    )


@pytest.mark.parametrize(("bad", "is_refused"), [(1, False), (10, False), (11, True)])
def test_more_than_one_bad_packet_in_ten_is_refused(bad, is_refused):
    tally = DecodedTotals(10_000, 100, bad)
    if is_refused:
        with pytest.raises(Exception, match=f"{bad} of 100 packets"):
            judge(described(10_000), tally)
    else:
        (warning,) = judge(described(10_000), tally)
        assert f"{bad} of 100 packets could not be decoded" in warning.message
