import numpy as np
import pytest

from escriba.audio.decode import decode_blocks


@pytest.fixture
def heard():
    """The whole sound, and the decoder."""

    def listen(path, channels="mixed"):
        decoder = decode_blocks(path, channels=channels, stop=lambda: False)
        return np.concatenate(list(decoder)), decoder

    return listen


def test_sound_that_starts_later_than_its_picture_begins_with_silence(make_video, heard):
    sound, decoder = heard(make_video("late.mkv", sound_starts_ms=2000))
    first_loud = np.argmax(np.abs(sound[:, 0]) > 1000)
    assert first_loud / 16 == pytest.approx(2000, abs=60)
    assert decoder.silence_ms == pytest.approx(2000, abs=60)
    assert "became silence" in decoder.warnings[0].message


@pytest.mark.parametrize(("layout", "channels"), [("mono", 1), ("stereo", 2), ("5.1", 6)])
def test_a_hole_in_the_clock_becomes_silence_of_its_length(layout, channels, make, heard):
    path = make("hole.webm", "libopus", 48_000, layout, seconds=4, hole_ms=3000)
    sound, decoder = heard(path, "separate")
    assert sound.shape[1] == channels
    assert decoder.decoded_ms == pytest.approx(7000, abs=60)
    assert not sound[40_000:72_000].any()
    assert np.abs(sound[85_000:]).max() > 1000


def test_a_clock_that_leaps_by_hours_is_not_followed(make, heard):
    path = make("leap.mka", "libmp3lame", 48_000, "mono", seconds=4, hole_ms=5 * 3_600_000)
    sound, decoder = heard(path)
    assert len(sound) == pytest.approx(64_000, abs=1000)
    (warning,) = decoder.warnings
    assert "timestamps jump by 18000.0 s" in warning.message


def test_a_sound_that_starts_late_on_its_own_is_not_shifted(make, heard):
    path = make("late.mka", "libmp3lame", 48_000, "mono", starts_at_ms=5000)
    sound, decoder = heard(path)
    assert decoder.silence_ms == 0
    assert len(sound) == pytest.approx(80_000, abs=1000)
