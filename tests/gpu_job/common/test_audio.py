"""What a worker decodes, for every number of channels that optimized audio can have."""

import av
import numpy as np
import pytest

from gpu_job.common import audio
from gpu_job.common.audio import decode

LAYOUTS = {1: "mono", 2: "stereo", 6: "5.1", 8: "7.1"}
SECOND = 16_000


@pytest.fixture
def tones():
    """A second of sound, another in each channel: int16 of shape (channels, n)."""

    def make(channels):
        times = np.arange(SECOND) / SECOND
        pitches = 200 * (1 + np.arange(channels))[:, None]
        return (8000 * np.sin(2 * np.pi * pitches * times)).astype(np.int16)

    return make


@pytest.fixture
def written(tmp_path):
    """Writes samples to a file of the codec, as it would be optimized."""

    def write(samples, codec):
        path = tmp_path / f"audio.{codec}"
        layout = LAYOUTS[len(samples)]
        with av.open(str(path), "w", format="ogg" if codec == "libopus" else codec) as made:
            stream = made.add_stream(codec, rate=SECOND, layout=layout)
            packed = np.ascontiguousarray(samples.T).reshape(1, -1)
            frame = av.AudioFrame.from_ndarray(packed, "s16", layout)
            frame.sample_rate = SECOND
            resampler = av.AudioResampler(stream.format, layout, SECOND, stream.frame_size or 4096)
            for block in (*resampler.resample(frame), *resampler.resample(None)):
                made.mux(stream.encode(block))
            made.mux(stream.encode(None))
        return path

    return write


@pytest.mark.parametrize("channels", LAYOUTS)
def test_lossless_audio_comes_back_sample_by_sample_in_its_channels(tones, written, channels):
    samples = tones(channels)

    found = decode(written(samples, "flac"), channels, 1000)

    assert found.dtype == np.int16
    assert np.array_equal(found, samples)


@pytest.mark.parametrize("channels", LAYOUTS)
def test_each_channel_of_opus_keeps_its_own_sound(tones, written, channels):
    found = decode(written(tones(channels), "libopus"), channels, 1000)

    assert found.shape[0] == channels
    loudest = np.abs(np.fft.rfft(found[:, 2000:14_000], axis=1)).argmax(axis=1) * SECOND / 12_000
    assert sorted(np.round(loudest, -1)) == [200 * (1 + n) for n in range(channels)]


def test_two_channels_wanted_as_one_are_mixed(tones, written):
    low, high = tones(2)

    found = decode(written(np.stack([low, high]), "flac"), 1, 1000)

    assert found.shape == (1, SECOND)
    mixed = (low.astype(int) + high) // 2
    assert np.abs(found[0] - mixed).max() <= 2


def test_what_is_too_large_for_memory_lies_in_a_file_without_a_name(tones, written, monkeypatch):
    monkeypatch.setattr(audio, "IN_MEMORY_BYTES", 1_000)
    samples = tones(2)

    found = decode(written(samples, "flac"), 2, 1000)

    assert isinstance(found.base, np.memmap) or isinstance(found, np.memmap)
    assert np.array_equal(found, samples)
