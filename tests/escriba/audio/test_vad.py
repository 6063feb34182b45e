import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from escriba.audio.speech_regions import RegionFinder
from resources.silero_vad import DetectorMissingError, SileroDetector, bundled_model


def fed(silero, sound, sizes):
    stream, found, position = silero.stream(), [], 0
    while position < len(sound):
        size = next(sizes)
        found.append(stream.feed(sound[position : position + size]))
        position += size
    return np.concatenate([*found, stream.finish()])


def every(size):
    while True:
        yield size


def whole(sound):
    from faster_whisper.vad import get_vad_model  # noqa: PLC0415 - takes a second to import

    padded = np.pad(sound.astype(np.float32) / 32_768, (0, 512 - len(sound) % 512))
    return get_vad_model()(padded)


@pytest.mark.parametrize("size", [16_384, 16_000, 700, 100_000])
def test_blocks_give_the_probabilities_of_the_whole_recording(size, silero, speech):
    found, expected = fed(silero, speech, every(size)), whole(speech.copy())
    assert found.shape == expected.shape
    # faster-whisper blanks the last 64 samples of the last window, by its handling of context.
    np.testing.assert_allclose(found[:-1], expected[:-1], atol=1e-4)


def test_the_regions_of_the_demo_recordings_are_those_of_faster_whisper(
    silero, decode, demo_recordings
):
    from faster_whisper.vad import get_speech_timestamps  # noqa: PLC0415 - as above

    assert len(demo_recordings) == 3
    for path in demo_recordings:
        sound = decode(path)[:, 0]
        finder = RegionFinder()
        finder.feed(fed(silero, sound, every(16_384)).tolist())
        found = finder.finish(len(sound) // 16)
        expected = get_speech_timestamps(
            sound.astype(np.float32) / 32_768,
            min_silence_duration_ms=120,
            min_speech_duration_ms=100,
            speech_pad_ms=30,
        )
        assert [(region.start_ms, region.end_ms) for region in found] == [
            (region["start"] // 16, region["end"] // 16) for region in expected
        ]
        assert len(found) > 5


def test_a_length_of_whole_windows_has_one_more_window_of_silence(silero):
    assert len(fed(silero, np.zeros(1024, np.int16), every(512))) == 3


def test_one_detector_serves_several_threads(silero, speech):
    alone = fed(silero, speech, every(16_384))
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda size: fed(silero, speech, every(size)), [16_384] * 8))
    assert all(np.array_equal(alone, each) for each in together)


def test_silence_and_noise_hold_no_speech(silero):
    random = np.random.default_rng(1)
    for sound in (np.zeros(160_000, np.int16), random.integers(-300, 300, 160_000, np.int16)):
        finder = RegionFinder()
        finder.feed(fed(silero, sound, every(16_384)).tolist())
        assert finder.finish(10_000) == ()


def test_the_model_is_found_without_importing_faster_whisper_or_onnxruntime():
    code = (
        "import sys; from resources.silero_vad import bundled_model; print(bundled_model().stat());"
        "assert not {'faster_whisper', 'onnxruntime', 'ctranslate2', 'av'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_missing_model_says_what_to_install(monkeypatch):
    monkeypatch.setattr("resources.silero_vad.find_spec", lambda _: None)
    with pytest.raises(DetectorMissingError, match="make setup"):
        bundled_model()
    with pytest.raises(DetectorMissingError, match="faster-whisper"):
        SileroDetector()
