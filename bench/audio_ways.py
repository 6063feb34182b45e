"""The ways that bench/audio.py compares, each run in a process of its own.

`python -m bench.audio_ways make HOURS FILE`, or WAY SOURCE TARGET. Prints one line of JSON.
"""

import io
import json
import resource
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path

LEVEL = "5"  # of FLAC; ours is the same (escriba/audio/encode.py)
RECORDINGS = Path(__file__).parents[1] / "demo" / "recordings"


def make(hours: str, target: str, *, rate_hz: int = 44_100, layout: str = "stereo") -> None:
    """The demo recordings with noise, end to end, as a 128 kbit/s MP3 of that many hours.

    The 132 s are encoded once and their frames repeated, which is what a decoder sees anyway.
    """
    import av  # noqa: PLC0415 - the other ways are measured without it
    import numpy as np  # noqa: PLC0415

    pieces = []
    for path in sorted(RECORDINGS.glob("*.m[p4]*")):
        resampler = av.AudioResampler("s16", layout, rate_hz)
        with av.open(str(path)) as container:
            for frame in container.decode(audio=0):
                pieces += [each.to_ndarray().ravel() for each in resampler.resample(frame)]
    speech = np.concatenate(pieces)
    noise = np.random.default_rng(7).normal(0, 100, speech.shape)
    noisy = np.clip(speech + noise, -32_768, 32_767).astype(np.int16)
    once, untagged = io.BytesIO(), {"write_xing": "0", "id3v2_version": "0"}
    with av.open(once, "w", format="mp3", options=untagged) as container:
        stream = container.add_stream("libmp3lame", rate=rate_hz, layout=layout)
        frame = av.AudioFrame.from_ndarray(noisy.reshape(1, -1), format="s16", layout=layout)
        frame.sample_rate = rate_hz
        container.mux([*stream.encode(frame), *stream.encode(None)])
        seconds = len(noisy) / rate_hz / (2 if layout == "stereo" else 1)
    with Path(target).open("wb") as file:
        file.writelines(once.getbuffer() for _ in range(round(float(hours) * 3600 / seconds)))


def make_small(hours: str, target: str) -> None:
    """The same at 16 kHz and in mono: as long, and a fourth of the work."""
    make(hours, target, rate_hz=16_000, layout="mono")


def ours(source: str, target: str) -> dict[str, float]:
    """Decode and encode, without speech detection."""
    from escriba.audio.decode import decode_blocks  # noqa: PLC0415 - measured, import and all
    from escriba.audio.encode import AudioWriter  # noqa: PLC0415

    blocks = decode_blocks(Path(source), channels="mixed", stop=lambda: False)
    with AudioWriter(Path(target), "flac", 1) as writer:
        for block in blocks:
            writer.write(block)
    return {"audio_hours": blocks.decoded_ms / 3_600_000}


def whole(source: str, target: str) -> dict[str, float]:
    """All of `optimize`: the detector in its own thread."""
    from escriba.audio.optimize import optimize  # noqa: PLC0415
    from resources.silero_vad import SileroDetector  # noqa: PLC0415

    made = optimize(
        Path(source), Path(target).parent, detector=SileroDetector(), limit_bytes=1 << 40
    )
    return {
        "audio_hours": made.decoded_ms / 3_600_000,
        "vad_cpu_s": made.timings.detect_cpu_seconds,
        "regions": len(made.regions),
    }


def inline(source: str, target: str) -> dict[str, float]:
    """The same work in one thread."""
    from escriba.audio.decode import decode_blocks  # noqa: PLC0415
    from escriba.audio.encode import AudioWriter  # noqa: PLC0415
    from escriba.audio.speech_regions import RegionFinder  # noqa: PLC0415
    from resources.silero_vad import SileroDetector  # noqa: PLC0415

    stream, finder = SileroDetector().stream(), RegionFinder()
    blocks = decode_blocks(Path(source), channels="mixed", stop=lambda: False)
    with AudioWriter(Path(target), "flac", 1) as writer:
        for block in blocks:
            writer.write(block)
            finder.feed(stream.feed(block[:, 0]).tolist())
    return {"audio_hours": blocks.decoded_ms / 3_600_000}


def by_pydub(source: str, target: str) -> None:
    """What a pydub user writes; the whole recording lies in memory."""
    import imageio_ffmpeg  # noqa: PLC0415

    warnings.simplefilter("ignore")  # of a missing system ffmpeg, and of audioop's retirement
    import pydub.audio_segment  # noqa: PLC0415

    pydub.audio_segment.mediainfo_json = lambda *_, **__: {}  # asks ffprobe, which is not at hand
    segment = pydub.audio_segment.AudioSegment
    segment.converter = imageio_ffmpeg.get_ffmpeg_exe()
    sound = segment.from_file(source, "mp3").set_channels(1).set_frame_rate(16_000)
    sound.export(target, "flac", parameters=["-compression_level", LEVEL])


WAYS: dict[str, Callable[[str, str], dict[str, float] | None]] = {
    "make": make,
    "make_small": make_small,
    "ours": ours,
    "whole": whole,
    "inline": inline,
    "pydub": by_pydub,
}


def peak_rss_mb() -> float:
    """The peak of this process; ru_maxrss would also count what its parent had before exec."""
    status = Path("/proc/self/status")
    if status.exists():
        return int(status.read_text(encoding="ascii").split("VmHWM:")[1].split()[0]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1 << 20)  # bytes, on macOS


if __name__ == "__main__":
    way, first, second = sys.argv[1:]
    began = time.perf_counter()
    found = WAYS[way](first, second) or {}
    took = time.perf_counter() - began
    print(json.dumps({**found, "work_wall_s": took, "peak_rss_mb": peak_rss_mb()}))
