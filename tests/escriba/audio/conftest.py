from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest

from escriba.audio.decode import decode_blocks

RECORDINGS = Path(__file__).parents[3] / "demo" / "recordings"


def never():
    return False


@pytest.fixture(scope="session")
def decode():
    """Decodes a whole file to (samples, channels)."""

    def whole(path, channels="mixed"):
        return np.concatenate(list(decode_blocks(path, channels=channels, stop=never)))

    return whole


@pytest.fixture(scope="session")
def demo_recordings():
    return sorted(path for path in RECORDINGS.iterdir() if path.suffix in {".mp3", ".m4a", ".mp4"})


@pytest.fixture(scope="session")
def speech(decode, demo_recordings):
    """45 s of two voices, int16 at 16 kHz."""
    return decode(demo_recordings[0])[:, 0]


def tone(seconds, rate, channels, first_hz=300):
    """A row of sines, 170 Hz apart, one for each channel: int16 (samples, channels)."""
    time = np.arange(int(rate * seconds)) / rate
    pitches = [first_hz + 170 * channel for channel in range(channels)]
    return np.stack([8000 * np.sin(2 * np.pi * hz * time) for hz in pitches], 1).astype(np.int16)


def later(packet, ms):
    """Shifts a packet's clock."""
    if ms:
        ticks = round(ms / 1000 / packet.time_base)
        packet.pts, packet.dts = packet.pts + ticks, packet.dts + ticks
    return packet


def write_audio(  # noqa: PLR0913 - what a file can be
    path,
    codec,
    rate=44_100,
    layout="stereo",
    seconds=5.0,
    *,
    sound=None,
    options=None,
    codec_options=None,
    starts_at_ms=0,
    hole_ms=0,
):
    """Writes a real file; `hole_ms` of its clock are missing in the middle."""
    with av.open(str(path), "w", options=options or {}) as container:
        stream = container.add_stream(codec, rate=rate, layout=layout)
        stream.codec_context.options = codec_options or {}
        count = stream.codec_context.layout.nb_channels
        samples = tone(seconds, rate, count) if sound is None else sound
        frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), format="s16", layout=layout)
        frame.sample_rate, frame.pts = rate, 0
        packets = [*stream.encode(frame), *stream.encode(None)]
        for index, packet in enumerate(packets):
            late_ms = starts_at_ms + (hole_ms if index >= len(packets) // 2 else 0)
            container.mux(later(packet, late_ms))
    return path


@pytest.fixture
def make(tmp_path) -> Callable[..., Path]:
    """Writes a file below tmp_path by its name; further arguments as for write_audio."""
    return lambda name, *args, **kwargs: write_audio(tmp_path / name, *args, **kwargs)


@pytest.fixture
def make_video(tmp_path):
    """A picture of 10 frames a second, with sound that starts later, or without sound."""

    def video(name, seconds=3, sound_codec="aac", sound_starts_ms=0):
        path = tmp_path / name
        with av.open(str(path), "w") as container:
            picture = container.add_stream("mpeg4", rate=10)
            picture.width, picture.height, picture.pix_fmt = 64, 48, "yuv420p"
            sound = sound_codec and container.add_stream(sound_codec, rate=48_000, layout="stereo")
            for _ in range(seconds * 10):
                image = np.zeros((48, 64, 3), np.uint8)
                container.mux(picture.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
            container.mux(picture.encode(None))
            if sound:
                samples = tone(seconds, 48_000, 2).reshape(1, -1)
                frame = av.AudioFrame.from_ndarray(samples, format="s16", layout="stereo")
                frame.sample_rate, frame.pts = 48_000, 0
                for packet in [*sound.encode(frame), *sound.encode(None)]:
                    container.mux(later(packet, sound_starts_ms))
        return path

    return video


class FakeStream:
    """Loud windows are speech."""

    def __init__(self):
        self.rest = np.zeros(0, np.int16)

    def feed(self, samples):
        sound = np.concatenate([self.rest, samples])
        whole = len(sound) // 512 * 512
        self.rest = sound[whole:]
        loud = np.abs(sound[:whole].reshape(-1, 512).astype(float)).mean(1) > 500
        return loud.astype(np.float32)

    def finish(self):
        return self.feed(np.zeros(512 - len(self.rest), np.int16))


class FakeDetector:
    version = "fake"

    def stream(self):
        return FakeStream()


@pytest.fixture
def fake_detector():
    return FakeDetector()


@pytest.fixture(scope="session")
def silero():
    from resources.silero_vad import SileroDetector  # noqa: PLC0415 - only the tests that use it load it

    return SileroDetector()


def dominant_hz(samples, rate=16_000):
    """The loudest pitch of a channel."""
    return round(np.argmax(np.abs(np.fft.rfft(samples.astype(float)))) * rate / len(samples))


@pytest.fixture
def pitches():
    """The loudest pitch of each channel of (samples, channels)."""
    return lambda sound: [dominant_hz(sound[:, channel]) for channel in range(sound.shape[1])]
