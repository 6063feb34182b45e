import pytest

from escriba.audio.decoded_length import length_agrees
from escriba.transcripts.diarized import DiarizedSegment, DiarizedTranscript, DiarizedWord
from escriba.transcripts.speakers import SPEAKER_UNKNOWN
from escriba.transcripts.transcript_checks import misplaced_times, words_without_speaker


def word(start_ms, end_ms, speaker="SPEAKER_00"):
    return DiarizedWord(
        start_ms=start_ms, end_ms=end_ms, text="ah", probability=1.0, speaker=speaker
    )


def transcript(*segments, audio_ms=10_000):
    """A segment from its first word's start to the greatest end, or with a span of its own."""
    parts = []
    for words in segments:
        start, end = words[0].start_ms, max(one.end_ms for one in words)
        parts.append(
            DiarizedSegment(
                start_ms=start, end_ms=end, speaker=words[0].speaker, text="", words=words
            )
        )
    return DiarizedTranscript(
        recording="acme/a.wav",
        language="pt",
        language_probability=1.0,
        model_revision="demo",
        audio_ms=audio_ms,
        speech_ms=0,
        speakers=(),
        segments=tuple(parts),
        turns=(),
    )


def test_words_of_nobody_are_counted():
    said = transcript((word(0, 5), word(5, 9, SPEAKER_UNKNOWN)), (word(20, 30, SPEAKER_UNKNOWN),))

    assert words_without_speaker(said) == 2
    assert words_without_speaker(transcript()) == 0


@pytest.mark.parametrize(
    ("segments", "wrong"),
    [
        ((), 0),
        (((word(0, 5), word(5, 9)), (word(7, 12),)), 0),  # two speak at once
        (((word(9_990, 10_001),),), 1),  # beyond the end
        (((word(50, 60),), (word(10, 20),)), 1),  # segments out of order
        (((word(10, 20), word(5, 9)),), 2),  # a word before its segment, and out of order
        (((word(10, 20), word(15, 12)),), 1),  # ends before it begins
    ],
)
def test_times_that_cannot_be_are_counted(segments, wrong):
    assert misplaced_times(transcript(*segments)) == wrong


@pytest.mark.parametrize(
    ("declared_ms", "decoded_ms", "agrees"),
    [
        (None, 5_000, True),
        (5_000, 7_000, True),
        (5_000, 7_001, False),
        (3_600_000, 3_564_000, True),
        (3_600_000, 3_563_000, False),
    ],
)
def test_lengths_agree_within_two_seconds_or_one_percent(declared_ms, decoded_ms, agrees):
    assert length_agrees(declared_ms, decoded_ms) is agrees
