"""A sound is where a player shows it, however the recorder's clock and its samples disagree."""

import av
import numpy as np
import pytest

from escriba.audio.container_clock import CleanClock, FrameMark, judge_lags, most_silence
from escriba.audio.decode import SAMPLE_RATE_HZ, decode_blocks

EVERY_SECONDS = 3
SECONDS = 31
RATE_HZ = 48_000
KINDS = [
    ("a.webm", "libopus"),
    ("a.mka", "flac"),
    ("a.mp4", "aac"),
    ("a.flv", "aac"),
    ("a.ts", "aac"),
]
CLOCKS = {
    "as recorded": lambda at: at,
    "0.9 % slow": lambda at: at * 1.009,
    "0.9 % fast": lambda at: at * 0.991,
    "300 ms lost every 2 s": lambda at: None if at % 2 > 1.7 else at,
    "a packet lost every second": lambda at: None if at % 1 > 0.978 else at,
    "starts late in a cut": lambda at: at + 3600,
    "jitter of 15 ms": lambda at: at + 0.015 * np.sin(at * 977) ** 2,
}


def beeps(at_seconds):
    """Bursts of 20 ms, in media time."""
    sound = np.zeros(SECONDS * RATE_HZ, np.int16)
    burst = 12_000 * np.sin(2 * np.pi * 1500 * np.arange(RATE_HZ // 50) / RATE_HZ)
    for at in at_seconds:
        start = int(at * RATE_HZ)
        sound[start : start + len(burst)] = burst
    return sound


def write(path, codec, at_seconds, clock):
    """A file in which `clock` moves each packet (seconds), or loses it (None)."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=RATE_HZ, layout="mono")
        frame = av.AudioFrame.from_ndarray(beeps(at_seconds).reshape(1, -1), "s16", "mono")
        frame.sample_rate, frame.pts = RATE_HZ, 0
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            moved = clock(float(packet.pts * packet.time_base))
            if moved is not None:
                packet.pts = packet.dts = round(moved / packet.time_base)
                container.mux(packet)
    return path


def heard_at(path):
    """Where the bursts are heard, in seconds, and the decoder."""
    decoder = decode_blocks(path, channels="mixed", stop=lambda: False)
    sound = np.abs(np.concatenate(list(decoder))[:, 0].astype(int))
    loud = np.flatnonzero(sound > 3000) / SAMPLE_RATE_HZ
    starts = loud[np.insert(np.diff(loud) > 0.5, 0, values=True)] if len(loud) else loud
    return starts, decoder


@pytest.mark.parametrize("clock", CLOCKS)
@pytest.mark.parametrize(("name", "codec"), KINDS)
def test_a_sound_is_where_the_player_shows_it(name, codec, clock, tmp_path):
    at_seconds = np.arange(1.3, SECONDS - 1, EVERY_SECONDS)
    path = write(tmp_path / name, codec, at_seconds, CLOCKS[clock])
    starts, decoder = heard_at(path)
    begins = CLOCKS[clock](0.0) or 0.0
    due = [CLOCKS[clock](at) for at in at_seconds]
    expected = [at - begins for at in due if at is not None]
    assert len(starts) == len(expected)
    assert np.abs(starts - expected).max() < 0.05
    assert decoder.decoded_ms == pytest.approx(
        (CLOCKS[clock](SECONDS - 0.1) - begins) * 1000 + 100, abs=120
    )


def test_what_was_lost_and_what_was_stretched_are_told(tmp_path):
    lossy = write(tmp_path / "a.flv", "aac", [1], CLOCKS["300 ms lost every 2 s"])
    slow = write(tmp_path / "b.mka", "flac", [1], lambda at: at * 1.03)
    fine = write(tmp_path / "c.flv", "aac", [1], CLOCKS["jitter of 15 ms"])
    told = [
        [warning.code for warning in heard_at(path)[1].warnings] for path in (lossy, slow, fine)
    ]
    assert told == [["silence_put_in"], ["clock_is_off"], []]


def test_a_clock_that_falls_goes_on_from_where_the_sound_is():
    clock = CleanClock(0.001)
    joined = [clock.read(pts, 0.02) for pts in (5000, 5020, 0, 20, 40)]
    assert np.diff(joined) == pytest.approx([0.02] * 4)


def test_stamps_that_jitter_and_are_kept_from_falling_move_nothing(tmp_path):
    last = 0.0

    def jitter(at):
        nonlocal last
        last = max(last, at + (0.06 if int(at * 50) % 9 == 0 else 0))
        return last

    starts, decoder = heard_at(write(tmp_path / "a.flv", "aac", [5.05, 25.05], jitter))
    assert np.abs(starts - [5.05, 25.05]).max() < 0.05
    assert decoder.warnings == ()


def test_frames_shorter_than_a_tick_of_the_clock_are_no_fall():
    clock = CleanClock(0.001)
    times = [clock.read(int(n / 1.2), 1 / 1200) for n in range(1200 * 60)]
    assert times[-1] == pytest.approx(60, abs=0.002)


def test_a_day_of_jitter_is_not_taken_for_a_day_of_silence():
    clock = CleanClock(0.001)
    for n in range(30 * 3600):
        clock.read(n * 1000 + (n % 2) * 900, 1.0)
    assert clock.skipped_ms == 0


def test_twenty_hours_of_a_call_that_sends_nothing_in_silence_are_filled():
    clock = CleanClock(0.001)
    times = [clock.read(second * 1000, 0.02) for second in range(20 * 3600)]
    assert clock.skipped_ms == 0
    assert times[-1] == 20 * 3600 - 1


def test_one_long_break_is_filled_in_a_small_file_and_many_are_not():
    hour = 3600
    for size_bytes, breaks_seconds, filled_seconds in (
        (60_000, [5390], 5390),  # an interview, muted over lunch
        (20_000, [3.9 * hour], 3.9 * hour),
        (20_000, [4.1 * hour], 0),
        (20_000, [3 * hour] * 100, 3 * hour),
        (20_000, [900] * 1000, 17 * 900),
        (1_000_000, [hour] * 1000, 17 * hour),
        (100_000_000, [hour] * 1000, 24 * hour),
    ):
        clock, pts = CleanClock(0.001, most_silence(size_bytes)), 0
        clock.read(pts, 0.02)
        for seconds in breaks_seconds:
            pts += 20 + round(seconds * 1000)
            at = clock.read(pts, 0.02)
        assert at == pytest.approx(filled_seconds + 0.02 * len(breaks_seconds), abs=0.01)


def test_one_late_frame_among_punctual_ones_moves_nothing():
    marks = [FrameMark(n * 960, n * 0.02 + (0.2 if n == 10 else 0)) for n in range(75)]
    judged = judge_lags(marks, 0.0, 48_000, 48_000, 0.0)
    assert judged.gaps == ()
    assert abs(judged.lag) < 0.001
