import hypothesis.strategies as st
import pytest
from hypothesis import given

from escriba.transcripts.timestamps import seconds_text, srt_time, text_time, to_ms, vtt_time


@pytest.mark.parametrize(
    ("seconds", "written"),
    [
        (59.9996, "00:01:00,000"),
        (59.9994, "00:00:59,999"),
        (1.001, "00:00:01,001"),
        (3599.9999, "01:00:00,000"),
        (0, "00:00:00,000"),
        (0.0004, "00:00:00,000"),
        (359_999.9996, "100:00:00,000"),
        (1_234_567.89, "342:56:07,890"),
    ],
)
def test_seconds_are_rounded_once_and_carried(seconds, written):
    assert srt_time(to_ms(seconds)) == written
    assert vtt_time(to_ms(seconds)) == written.replace(",", ".")


@given(st.integers(0, 10**10))
def test_every_time_reads_back_to_the_same_millisecond(ms):
    hours, minutes, seconds = vtt_time(ms).split(":")
    assert len(minutes) == 2
    assert len(seconds) == 6
    read = int(hours) * 3_600_000 + int(minutes) * 60_000 + int(seconds.replace(".", ""))
    assert read == ms


@given(st.integers(0, 10**12))
def test_milliseconds_survive_a_float_of_seconds(ms):
    assert to_ms(ms / 1000) == ms


@given(st.integers(0, 10**12))
def test_seconds_are_written_exactly(ms):
    whole, rest = seconds_text(ms).split(".")
    assert (len(rest), int(whole + rest)) == (3, ms)


def test_a_time_in_a_text_is_rounded_down():
    assert text_time(3_723_999) == "1:02:03"


@pytest.mark.parametrize("seconds", [-0.001, float("nan"), float("inf")])
def test_a_time_that_no_recording_has_is_refused(seconds):
    with pytest.raises(ValueError, match="must be 0 s or more"):
        to_ms(seconds)


@pytest.mark.parametrize("written", [srt_time, vtt_time, text_time, seconds_text])
def test_a_negative_time_is_not_written(written):
    with pytest.raises(ValueError, match="not -1 ms"):
        written(-1)
