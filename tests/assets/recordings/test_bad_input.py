"""Each kind of bad file gets its own clear error, and does not affect other files."""

import av
import numpy as np
import pytest

import assets.recordings.diarized_transcript
import assets.recordings.raw_audio
from escriba.recordings import from_inbox_key
from escriba.settings import load_settings

from .conftest import House


def m4a(path, seconds, *, video_only=False):
    """An m4a file with its index at the end, or a video without sound."""
    with av.open(str(path), "w", format="mp4") as made:
        if video_only:
            stream = made.add_stream("mpeg4", rate=5)
            stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
            frames = [av.VideoFrame(64, 48, "yuv420p") for _ in range(10)]
        else:
            stream = made.add_stream("aac", rate=16000, layout="mono")
            noise = np.random.default_rng(1).normal(0, 3000, (1, 16000 * seconds))
            frames = [av.AudioFrame.from_ndarray(noise.astype(np.int16), "s16", "mono")]
            frames[0].sample_rate = 16000
            resampler = av.AudioResampler(stream.format, "mono", 16000, frame_size=1024)
            frames = resampler.resample(frames[0])
        for i, frame in enumerate(frames):
            frame.pts = i if video_only else None
            made.mux(stream.encode(frame))
        made.mux(stream.encode(None))
    return path


def encoded(path, sound, codec, frame_size, **options):
    """A compressed file, such as an MP3 that declares its length in a Xing header."""
    with av.open(str(path), "w", **options) as made:
        stream = made.add_stream(codec, rate=16000, layout="mono")
        resampler = av.AudioResampler(stream.format, "mono", 16000, frame_size=frame_size)
        frame = av.AudioFrame.from_ndarray(sound[None], "s16p", "mono")
        frame.sample_rate = 16000
        for block in resampler.resample(frame):
            block.pts = None
            made.mux(stream.encode(block))
        made.mux(stream.encode(None))
    return path


@pytest.fixture(scope="module")
def bad_files(tmp_path_factory, clips, wav):
    """The content and the error code of each bad file, by name."""
    folder = tmp_path_factory.mktemp("bad")
    sound = np.tile(wav.read(clips.english), 4)
    long_mp3 = encoded(folder / "long.mp3", sound, "libmp3lame", 576).read_bytes()
    whole = m4a(folder / "whole.m4a", 3).read_bytes()
    return {
        "empty.wav": (b"", "empty_file"),
        "text.mp3": (b"Dear all,\nthis is no recording.\n" * 50, "not_audio"),
        "video.mp4": (
            m4a(folder / "v.mp4", 2, video_only=True).read_bytes(),
            "no_audio_stream",
        ),
        "truncated.m4a": (whole[: len(whole) // 2], "truncated"),
        "truncated.mp3": (long_mp3[: len(long_mp3) // 2], "truncated"),
        "locked.m4a": (whole.replace(b"mp4a", b"drms"), "drm_protected"),
        "zero.wav": (wav.write(folder / "z.wav", np.zeros(0, np.int16)).read_bytes(), "no_samples"),
        "list.mp3": (b"ffconcat version 1.0\nfile good.wav\n", "not_audio"),
        "hls.mp3": (b"#EXTM3U\n#EXTINF:9,\ngood.wav\n", "not_audio"),
    }


def put_bytes(house, name, data, tenant="acme"):
    path = house.root / "inbox" / tenant / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return from_inbox_key(f"inbox/{tenant}/{name}")


def test_every_bad_file_has_its_own_error_and_costs_no_other(house, clips, bad_files):
    good = house.put(clips.english, "good.wav")
    bad = {put_bytes(house, name, data): code for name, (data, code) in bad_files.items()}

    result = house.run([*bad, good])

    assert not result.success
    assert "Good morning" in house.text(good)
    refusals = house.survey().failed
    assert {recording: refusal.code for recording, refusal in refusals.items()} == bad
    for recording, refusal in refusals.items():
        assert refusal.name == recording.inbox_key
        assert refusal.permanent
        assert len(refusal.advice) > 10
    failed = house.status("cost_metrics")[1]
    assert failed == {recording.partition_key for recording in bad}
    assert [row["recording"] for row in house.attempts()] == [good.name]


def test_a_file_above_the_limit_is_refused_with_the_limit_named(tmp_path, clips):
    settings = load_settings(
        storage_url=(tmp_path / "bucket").as_uri(), default_language="auto", max_upload_mb=1
    )
    house = House(settings, tmp_path / "bucket")
    large = put_bytes(house, "large.wav", bytes(1_000_001))

    [outcome] = house.batch([large])

    assert outcome.failed.code == "too_large"
    assert "1 MB" in outcome.failed.message
    assert "MAX_UPLOAD_MB" in outcome.failed.advice


@pytest.mark.parametrize("suffix", [".wav", ".aac"])
def test_a_recording_that_lasts_too_long_is_refused_with_the_limit_named(
    tmp_path, clips, wav, suffix
):
    settings = load_settings(storage_url=(tmp_path / "bucket").as_uri(), max_audio_hours=0.001)
    house = House(settings, tmp_path / "bucket")
    sound = wav.read(clips.english)
    if suffix == ".wav":
        made = wav.write(tmp_path / "x.wav", sound)
    else:  # without a container nothing declares a length
        made = encoded(tmp_path / "x.aac", sound, "aac", 1024, format="adts")
    recording = house.put(made, f"long{suffix}")

    [outcome] = house.batch([recording])

    assert outcome.failed.code == "too_long"
    assert "0.001 hours" in outcome.failed.message
    assert outcome.failed.stage == ("raw_audio" if suffix == ".wav" else "optimized_audio")


def test_a_file_that_grows_while_it_is_read_waits_for_the_next_run(house, clips, monkeypatch):
    recording = house.put(clips.english, "growing.wav")
    real = assets.recordings.raw_audio._digest

    def and_then_it_grows(path):
        seen = real(path)
        with path.open("ab") as file:
            file.write(bytes(3200))
        return seen

    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(assets.recordings.raw_audio, "_digest", and_then_it_grows)
        [outcome] = house.batch([recording])

    assert outcome.failed.code == "still_changing"
    assert not outcome.failed.permanent
    assert house.survey().work == [recording]
    assert house.batch([recording])[0].failed is None


def test_a_file_that_vanishes_while_it_is_read_is_named(house, clips, monkeypatch):
    recording = house.put(clips.english, "gone.wav")
    real = assets.recordings.raw_audio._digest

    def and_then_it_goes(path):
        seen = real(path)
        path.unlink()
        return seen

    monkeypatch.setattr(assets.recordings.raw_audio, "_digest", and_then_it_goes)

    [outcome] = house.batch([recording])

    assert outcome.failed.code == "vanished"


def test_a_file_that_cannot_be_read_says_whose_right_is_missing(house, clips, monkeypatch):
    recording = house.put(clips.english, "locked.wav")

    def denied(_path):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("assets.recordings.raw_audio._digest", denied)

    [outcome] = house.batch([recording])

    assert outcome.failed.code == "unreadable"
    assert "read permission" in outcome.failed.advice


STRANGE = [
    "two  blanks .wav",
    "a,b.wav",
    'it\'s "quoted".wav',
    "and so on….wav",
    "dots...wav",
    "a#2",
    "a%2Fb.wav",
    "😀 party.wav",
    "sa\u0303o joa\u0303o.wav",
    "ã" * 125 + "x.wav",
    ".hidden.wav",
    "-rf.wav",
    "http:x.wav",
    "[draft]*?.wav",
    "jobs/x.wav",
]


def test_strange_names_all_work(house, clips, wav, tmp_path):
    sound = wav.read(clips.english)[: 16000 * 2]
    recordings = []
    for i, name in enumerate(STRANGE):
        different = wav.write(tmp_path / "one.wav", np.append(sound, np.int16(i)))
        recordings.append(put_bytes(house, name, different.read_bytes()))
    assert sorted(house.survey().new) == sorted(recordings)

    result = house.run(recordings)

    assert result.success
    assert all("Good morning" in house.text(recording) for recording in recordings)
    keys = {recording.partition_key for recording in recordings}
    assert house.status("diarized_transcript") == (keys, set())
