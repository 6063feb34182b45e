import hypothesis.strategies as st
import pytest
from hypothesis import given

from escriba.transcripts.rttm import RttmError, parse_rttm, to_rttm
from gpu_job.contract import Turn

GOLDEN = """\
SPEAKER town/meeting%20of%20May.mp3 1 0.000 4.250 <NA> <NA> SPEAKER_00 <NA> <NA>
SPEAKER town/meeting%20of%20May.mp3 1 4.001 60.000 <NA> <NA> SPEAKER_01 <NA> <NA>
"""
TURNS = [
    Turn(start_ms=0, end_ms=4_250, speaker="SPEAKER_00"),
    Turn(start_ms=4_001, end_ms=64_001, speaker="SPEAKER_01"),
]

names = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)
turns_of = st.lists(
    st.builds(
        lambda start_ms, length_ms, speaker: Turn(
            start_ms=start_ms, end_ms=start_ms + length_ms, speaker=speaker
        ),
        st.integers(0, 10**9),
        st.integers(1, 10**8),
        names,
    ),
    min_size=1,
)


def test_turns_are_written_in_ten_fields_with_times_in_seconds():
    assert to_rttm("town/meeting of May.mp3", TURNS) == GOLDEN


@given(names, turns_of)
def test_what_is_written_is_read_back(recording, turns):
    written = to_rttm(recording, turns)
    assert parse_rttm(written) == {recording: turns}
    assert all(len(line.split(" ")) == 10 for line in written.removesuffix("\n").split("\n"))


def test_a_turn_without_length_is_left_out():
    assert to_rttm("a", [Turn(start_ms=5, end_ms=5, speaker="A")]) == ""


def test_a_recording_without_a_name_is_refused():
    with pytest.raises(ValueError, match="name of the recording is empty"):
        to_rttm("", TURNS)


def test_comments_and_blank_lines_are_passed_over():
    assert parse_rttm(f";; two voices\n\n{GOLDEN}\n") == {"town/meeting of May.mp3": TURNS}


def test_times_finer_than_a_millisecond_are_rounded():
    line = "SPEAKER a 1 59.9996 0.0014 <NA> <NA> A <NA> <NA>\r\n"
    assert parse_rttm(line) == {"a": [Turn(start_ms=60_000, end_ms=60_001, speaker="A")]}


@pytest.mark.parametrize(
    "line",
    [
        "SPEAKER a 1 0.0 1.0 <NA> <NA> A <NA>",
        "SPEAKER a b 1 0.0 1.0 <NA> <NA> A <NA> <NA>",
        "SPKR-INFO a 1 <NA> <NA> <NA> unknown A <NA> <NA>",
        "SPEAKER a 1 -1.0 1.0 <NA> <NA> A <NA> <NA>",
        "SPEAKER a 1 0.0 nan <NA> <NA> A <NA> <NA>",
        "SPEAKER a 1 0.0 0.0 <NA> <NA> A <NA> <NA>",
        "SPEAKER a 1 1e3 1.0 <NA> <NA> A <NA> <NA>",
        "SPEAKER a 1 0,5 1.0 <NA> <NA> A <NA> <NA>",
    ],
)
def test_any_other_line_is_refused_with_its_number(line):
    with pytest.raises(RttmError, match="line 3:"):
        parse_rttm(f"{GOLDEN}{line}\n")
