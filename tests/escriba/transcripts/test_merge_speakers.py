from datetime import UTC, datetime

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from escriba.transcripts.diarized import SpeakerTotal
from escriba.transcripts.merge_speakers import diarize
from escriba.transcripts.speakers import SPEAKER_UNKNOWN
from gpu_job.contract import (
    JobResult,
    JobWarning,
    Segment,
    SpeechRegion,
    Turn,
    Usage,
    Word,
    WorkerPlace,
)

THEN = datetime(2025, 1, 1, tzinfo=UTC)
USAGE = Usage(
    worker="test",
    place=WorkerPlace(boot_id="b", pid_namespace="n", pid=1, started="0"),
    started_at=THEN,
    ended_at=THEN,
)


def result(segments=(), turns=(), **other):
    return JobResult(
        job="j",
        attempt=1,
        nonce="n",
        language="en",
        language_probability=0.98,
        model_revision="r1",
        segments=segments,
        turns=turns,
        usage=USAGE,
        **other,
    )


def piece(*words, channel=0):
    return Segment(
        start_ms=words[0][0],
        end_ms=words[-1][1],
        channel=channel,
        words=tuple(
            Word(start_ms=start, end_ms=end, text=text, probability=0.5, channel=channel)
            for start, end, text in words
        ),
    )


def join(heard, *, regions=(), channels="mixed"):
    return diarize(heard, recording="a.mp3", audio_ms=10_000, regions=regions, channels=channels)


def said(transcript):
    return [(part.start_ms, part.end_ms, part.speaker, part.text) for part in transcript.segments]


QUESTION = piece((0, 400, "Ready?"), (500, 800, "Yes."), (900, 1_300, "Good."))
TURNS = (
    Turn(start_ms=480, end_ms=850, speaker="SPEAKER_01"),
    Turn(start_ms=0, end_ms=450, speaker="SPEAKER_00"),
    Turn(start_ms=840, end_ms=2_000, speaker="SPEAKER_00"),
)


def test_a_segment_ends_where_the_speaker_changes():
    assert said(join(result([QUESTION], TURNS))) == [
        (0, 400, "SPEAKER_00", "Ready?"),
        (500, 800, "SPEAKER_01", "Yes."),
        (900, 1_300, "SPEAKER_00", "Good."),
    ]


def test_turns_are_kept_with_their_overlap_in_time_order():
    assert [turn.start_ms for turn in join(result([QUESTION], TURNS)).turns] == [0, 480, 840]


def test_each_speaker_has_a_total_that_counts_overlapping_turns_once():
    turns = (*TURNS, Turn(start_ms=1_900, end_ms=2_100, speaker="SPEAKER_00"))
    assert join(result([QUESTION], turns)).speakers == (
        SpeakerTotal(label="SPEAKER_00", speaking_ms=450 + 1_260, words=2),
        SpeakerTotal(label="SPEAKER_01", speaking_ms=370, words=1),
    )


def test_without_a_diarizer_nobody_is_known():
    transcript = join(result([QUESTION]))
    assert said(transcript) == [(0, 1_300, SPEAKER_UNKNOWN, "Ready? Yes. Good.")]
    assert transcript.speakers == (
        SpeakerTotal(label=SPEAKER_UNKNOWN, speaking_ms=400 + 300 + 400, words=3),
    )


def test_a_separate_channel_is_its_speaker_even_where_channels_overlap():
    heard = result(
        [piece((0, 400, "Hello"), (400, 900, "there.")), piece((100, 300, "Hi."), channel=1)],
        [Turn(start_ms=0, end_ms=900, speaker="SPEAKER_07")],
    )
    regions = [
        SpeechRegion(start_ms=50, end_ms=350, channel=1),
        SpeechRegion(start_ms=0, end_ms=950, channel=0),
    ]
    transcript = join(heard, regions=regions, channels="separate")
    assert said(transcript) == [
        (0, 900, "SPEAKER_00", "Hello there."),
        (100, 300, "SPEAKER_01", "Hi."),
    ]
    assert transcript.turns == (
        Turn(start_ms=0, end_ms=950, speaker="SPEAKER_00"),
        Turn(start_ms=50, end_ms=350, speaker="SPEAKER_01"),
    )
    assert transcript.speech_ms == 950


def test_a_recording_without_speech_is_a_valid_transcript():
    transcript = join(result(warnings=[JobWarning(code="x", message="no speech", text="Bye.")] * 2))
    assert (transcript.segments, transcript.speakers, transcript.turns) == ((), (), ())
    assert (transcript.speech_ms, transcript.audio_ms) == (0, 10_000)
    assert transcript.warnings == ("no speech",)


def test_words_of_nothing_but_blanks_are_left_out():
    heard = result([piece((0, 10, " ")), piece((20, 30, ""), (40, 50, "so"))])
    assert said(join(heard)) == [(40, 50, SPEAKER_UNKNOWN, "so")]


def test_words_go_to_the_turns_that_never_overlap_where_there_are_such():
    spans = [[(0, 1000, "A"), (400, 1000, "B")], [(0, 500, "A"), (500, 1000, "B")]]
    turns, exclusive = (
        tuple(Turn(start_ms=start, end_ms=end, speaker=who) for start, end, who in each)
        for each in spans
    )
    heard = result([piece((500, 1000, "so"))], turns, exclusive_turns=exclusive)

    assert said(join(heard)) == [(500, 1000, "B", "so")]
    assert join(heard).turns == turns


moments = st.integers(0, 9_000)
pieces = st.lists(
    st.lists(
        st.tuples(moments, st.integers(0, 800), st.sampled_from(["a", "b,", "c.", " "])),
        min_size=1,
        max_size=8,
    ).map(
        lambda words: piece(
            *((start, start + length, text) for start, length, text in sorted(words)),
        )
    ),
    max_size=6,
)
turns_of = st.lists(
    st.builds(
        lambda start, length, speaker: Turn(start_ms=start, end_ms=start + length, speaker=speaker),
        moments,
        st.integers(0, 3_000),
        st.sampled_from(["SPEAKER_00", "SPEAKER_01"]),
    ),
    max_size=8,
)


@settings(deadline=None)
@given(pieces, turns_of, st.sampled_from(["mixed", "separate"]))
def test_every_word_has_one_speaker_and_the_totals_add_up(segments, turns, channels):
    transcript = join(result(segments, turns), channels=channels)
    words = [word for part in transcript.segments for word in part.words]
    heard = [word for part in segments for word in part.words if word.text.strip()]
    assert len(words) == len(heard) == sum(total.words for total in transcript.speakers)
    assert {word.speaker for word in words} <= {total.label for total in transcript.speakers}
    for part in transcript.segments:
        assert {word.speaker for word in part.words} == {part.speaker}
        assert part.text == " ".join(word.text for word in part.words)
        assert part.start_ms <= min(word.start_ms for word in part.words)
        assert part.end_ms == max(word.end_ms for word in part.words)
    starts = [part.start_ms for part in transcript.segments]
    assert starts == sorted(starts)


@pytest.mark.parametrize("field", ["language", "language_probability", "model_revision"])
def test_what_the_worker_said_of_itself_is_kept(field):
    heard = result([QUESTION])
    assert getattr(join(heard), field) == getattr(heard, field)
