"""What a header announces is looked at before a decoder believes it."""

import numpy as np
import pytest

from escriba.audio.audio_errors import AudioRefused
from escriba.audio.decode import decode_blocks
from escriba.audio.probe import probe
from tests import hostile_media as hostile

REFUSED = [
    (hostile.million_frames, "tag_too_large", "more than 4,096 entries"),
    (hostile.tag_of_200_mb, "tag_too_large", "a tag (ID3) of 200,000,010 bytes"),
    (hostile.frames_in_a_chunk, "tag_too_large", "more than 4,096 entries"),
    (hostile.nine_tags, "tag_too_large", "more than 8 tags"),
    (hostile.a_tag_in_a_tag, "tag_too_large", "more than 8 tags (ID3), or one in another"),
    (hostile.frames_after_padding, "tag_too_large", "more than 4,096 entries"),
    (hostile.frames_after_an_extended_header, "tag_too_large", "more than 4,096 entries"),
    (hostile.frames_in_a_long_wav, "tag_too_large", "more than 4,096 entries"),
    (hostile.frames_in_a_wav_after_a_tag, "tag_too_large", "more than 4,096 entries"),
    (hostile.samples_after_a_tag, "impossible_index", "announces 60,000,000 samples"),
    (hostile.sixty_million_samples, "impossible_index", "announces 60,000,000 samples"),
    (hostile.entries_beyond_the_table, "impossible_index", "1,000,000,000 entries"),
    (hostile.large_cover, "picture_too_large", "its cover (MP4) has 40,000,000 bytes"),
    (hostile.eight_channels_at_655_khz, "impossible_format", "8 channels at 655,350 Hz"),
]


def refusal(path):
    with pytest.raises(AudioRefused) as refused:
        probe(path)
    return refused.value


def test_each_kind_is_refused_by_name(tmp_path):
    for make, code, says in REFUSED:
        error = refusal(make(tmp_path))
        assert (make.__name__, error.code) == (make.__name__, code)
        assert says in error.message
        assert error.advice


def test_a_picture_is_never_given_to_a_decoder(tmp_path):
    path = hostile.cover_of_144_megapixels(tmp_path)

    found = probe(path)
    sound = np.concatenate(list(decode_blocks(path, channels="mixed", stop=lambda: False)))

    assert (found.codec, found.declared_ms, found.declared_is_trusted) == ("flac", 2000, True)
    assert len(sound) == 32_000


def test_a_recording_with_an_ordinary_tag_decodes_as_without_it(tmp_path, decode):
    plain = hostile.recording(tmp_path / "plain.mp3", "libmp3lame")
    sound = plain.read_bytes()
    sound = sound[after_tag(sound) :]
    tagged = tmp_path / "tagged.mp3"
    tagged.write_bytes(hostile.id3(hostile.text_frame(b"title", b"a" * 5000)) + sound)

    assert np.array_equal(decode(tagged), decode(plain))


def test_a_tag_with_a_wrong_length_hides_no_audio(tmp_path, decode):
    plain = hostile.recording(tmp_path / "plain.mp3", "libmp3lame")
    sound = plain.read_bytes()
    sound = sound[after_tag(sound) :]
    tagged = tmp_path / "tagged.mp3"
    frame = hostile.text_frame(b"title", b"a" * 50)
    for entries in (b"", frame, frame + bytes(500)):
        for length in (len(entries) + len(sound), 5_000_000):
            tagged.write_bytes(b"ID3\4\0\0" + hostile.seven_bits(length) + entries + sound)
            assert np.array_equal(decode(tagged), decode(plain)), (len(entries), length)


def test_a_clock_that_jumps_fills_no_hours_from_a_few_kilobytes(tmp_path):
    path = hostile.hours_of_nothing(tmp_path)
    decoder = decode_blocks(path, channels="mixed", stop=lambda: False)
    seconds = sum(map(len, decoder)) / 16_000

    assert path.stat().st_size < 40_000
    assert seconds == pytest.approx(2, abs=0.2)
    assert "clock_leaps" in {warning.code for warning in decoder.warnings}


def after_tag(data):
    if data[:3] != b"ID3":
        return 0
    digits = zip(data[6:10], (21, 14, 7, 0), strict=True)
    return 10 + sum((byte & 127) << shift for byte, shift in digits)
