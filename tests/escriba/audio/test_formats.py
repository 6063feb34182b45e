import numpy as np
import pytest

from escriba.audio.audio_errors import DecodeStopped, NotAudio
from escriba.audio.decode import BLOCK_SAMPLES, decode_blocks
from escriba.audio.probe import probe

FORMATS = [
    ("a.mp3", "libmp3lame", 44_100, "stereo"),
    ("phone.mp3", "libmp3lame", 8_000, "mono"),
    ("a.m4a", "aac", 44_100, "stereo"),
    ("surround.m4a", "aac", 48_000, "5.1"),
    ("lossless.m4a", "alac", 44_100, "stereo"),
    ("a.aac", "aac", 44_100, "mono"),
    ("a.wav", "pcm_s16le", 16_000, "mono"),
    ("deep.wav", "pcm_s24le", 48_000, "stereo"),
    ("phone.wav", "pcm_mulaw", 8_000, "mono"),
    ("surround.wav", "pcm_s16le", 48_000, "5.1"),
    ("many.wav", "pcm_s16le", 16_000, "hexadecagonal"),
    ("a.flac", "flac", 44_100, "stereo"),
    ("opus.ogg", "libopus", 48_000, "stereo"),
    ("a.webm", "libopus", 48_000, "mono"),
    ("a.mkv", "libmp3lame", 44_100, "mono"),
    ("a.aiff", "pcm_s16be", 44_100, "stereo"),
    ("a.amr", "libopencore_amrnb", 8_000, "mono"),
    ("a.avi", "libmp3lame", 44_100, "mono"),
    ("a.ts", "aac", 44_100, "stereo"),
]


@pytest.mark.parametrize("what", FORMATS, ids=[each[0] for each in FORMATS])
def test_every_common_format_becomes_mono_16_khz_of_the_same_length_and_pitch(what, make, pitches):
    decoder = decode_blocks(make(*what), channels="mixed", stop=lambda: False)
    sound = np.concatenate(list(decoder))
    assert sound.dtype == np.int16
    assert sound.shape[1] == 1
    assert decoder.decoded_ms == pytest.approx(5000, abs=60)
    assert decoder.warnings == ()
    assert decoder.bad_packets == 0
    loudest = pitches(sound)[0]
    assert (loudest - 300) % 170 <= 1 or (loudest - 300) % 170 >= 169


def test_vorbis_is_decoded(make, decode):
    path = make("vorbis.ogg", "vorbis", codec_options={"strict": "experimental"})
    assert len(decode(path)) == pytest.approx(80_000, abs=500)


def test_the_sound_of_a_video_is_decoded(make_video, decode):
    path = make_video("talk.mp4")
    assert probe(path).audio_streams == 1
    assert len(decode(path)) == pytest.approx(48_000, abs=800)


def test_blocks_have_one_size_but_for_the_last(make):
    blocks = list(decode_blocks(make("a.mp3", "libmp3lame"), channels="mixed", stop=lambda: False))
    assert {len(block) for block in blocks[:-1]} == {BLOCK_SAMPLES}
    assert 0 < len(blocks[-1]) <= BLOCK_SAMPLES


def test_separate_channels_keep_their_own_sound_in_order(make, decode, pitches):
    sound = decode(make("six.wav", "pcm_s16le", 16_000, "5.1"), "separate")
    assert pitches(sound) == [300, 470, 640, 810, 980, 1150]


def test_more_than_eight_channels_are_mixed_even_when_asked_apart(make, decode):
    sound = decode(make("many.wav", "pcm_s16le", 16_000, "hexadecagonal"), "separate")
    assert sound.shape[1] == 1


def test_a_mono_file_at_16_khz_comes_through_bit_by_bit(make, decode, speech):
    path = make("exact.wav", "pcm_s16le", 16_000, "mono", sound=speech[:, None])
    assert np.array_equal(decode(path)[:, 0], speech)


def test_decoding_stops_when_asked_to(make):
    asked = iter([False, False, True])
    decoder = decode_blocks(make("a.wav", "pcm_s16le"), channels="mixed", stop=lambda: next(asked))
    with pytest.raises(DecodeStopped, match="2048 ms"):
        list(decoder)


def test_a_recording_that_changes_its_channels_midway_is_decoded_to_its_end(make, decode):
    first = make("1.mp3", "libmp3lame", options={"write_xing": "0", "id3v2_version": "0"})
    second = make(
        "2.mp3", "libmp3lame", 22_050, "mono", options={"write_xing": "0", "id3v2_version": "0"}
    )
    first.write_bytes(first.read_bytes() + second.read_bytes())
    assert len(decode(first, "separate")) == pytest.approx(160_000, abs=3000)


@pytest.mark.parametrize(
    "name",
    [
        "con spaces.mp3",
        "100%#1.mp3",
        "🎙️ reunião.mp3",
        "-y.mp3",
        "concat:x.mp3",
        "http:x.mp3",
        "%d.mp3",
    ],
)
def test_a_name_is_never_read_as_anything_but_a_name(name, make, tmp_path, monkeypatch, decode):
    make("a.mp3", "libmp3lame").rename(tmp_path / name)
    monkeypatch.chdir(tmp_path)
    relative = type(tmp_path)(name)
    assert probe(relative).codec == "mp3"
    assert len(decode(relative)) == pytest.approx(80_000, abs=1000)


def test_the_ending_of_a_name_decides_nothing(make, tmp_path):
    lie = make("a.m4a", "aac").rename(tmp_path / "a.wav")
    assert probe(lie).codec == "aac"


@pytest.mark.parametrize("ending", ["flac", "ac3", "eac3", "aac", "ogg"])
def test_no_ending_makes_audio_of_what_is_none(ending, tmp_path):
    """Ffmpeg would take the ending's word for it, and hear noise in a letter."""
    letter = tmp_path / f"letter.{ending}"
    letter.write_bytes(b"Dear all,\nthis is no recording.\n" * 50)
    with pytest.raises(NotAudio):
        probe(letter)


def test_no_ending_hides_audio_from_whoever_looks_at_its_bytes(make, tmp_path):
    make("a.mp3", "libmp3lame").rename(tmp_path / "a.sb")
    assert probe(tmp_path / "a.sb").codec == "mp3"
