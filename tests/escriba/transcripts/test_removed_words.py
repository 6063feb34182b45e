"""Words that a worker took out are kept, and can be put back where they stood."""

from escriba.transcripts.diarized import dumps, loads
from escriba.transcripts.removed_words import restored
from gpu_job.contract import Evidence, JobWarning, Turn, Word
from tests.escriba.transcripts.test_merge_speakers import join, piece, result

TURNS = [Turn(start_ms=0, end_ms=10_000, speaker="SPEAKER_00")]


def word(start_ms, end_ms, text):
    return Word(start_ms=start_ms, end_ms=end_ms, text=text, probability=0.4)


def gone(*words, code="no_speech"):
    return JobWarning(
        code=code,
        message="Words were written where nobody speaks.",
        start_ms=words[0].start_ms,
        end_ms=words[-1].end_ms,
        text=" ".join(each.text for each in words),
        words=words,
        evidence=Evidence(speech_ms=0, agreement=0.1),
    )


def test_what_was_removed_stands_in_the_file_with_its_times_and_evidence():
    heard = result([piece((0, 400, "Yes."))], TURNS, warnings=[gone(word(5_000, 5_300, "You."))])

    [removed] = loads(dumps(join(heard))).removed

    assert (removed.text, removed.reason, removed.start_ms) == ("You.", "no_speech", 5_000)
    assert [(each.text, each.speaker) for each in removed.words] == [("You.", "SPEAKER_00")]
    assert removed.evidence == Evidence(speech_ms=0, agreement=0.1)


def test_a_segment_that_was_removed_stands_among_the_others_again():
    heard = result(
        [piece((0, 400, "One.")), piece((6_000, 6_400, "Three."))],
        TURNS,
        warnings=[gone(word(3_000, 3_300, "Two."))],
    )

    whole = restored(join(heard))

    assert [segment.text for segment in whole.segments] == ["One.", "Two.", "Three."]
    assert whole.removed == ()


def test_words_that_were_cut_out_of_a_segment_stand_in_it_again():
    heard = result(
        [piece((0, 400, "Five"), (2_000, 2_400, "six."))],
        TURNS,
        warnings=[gone(word(500, 900, "five"), word(1_000, 1_400, "five"), code="repetition")],
    )

    assert [s.text for s in restored(join(heard)).segments] == ["Five five five six."]


def test_words_of_one_channel_never_part_a_sentence_of_another():
    lost = Word(start_ms=100, end_ms=300, text="Thank", probability=0.4, channel=1)
    last = lost.model_copy(update={"start_ms": 1_700, "end_ms": 1_900, "text": "you."})
    heard = result(
        [piece((0, 400, "What"), (1_000, 1_400, "you"), (1_800, 2_200, "can"))],
        warnings=[gone(lost, last)],
    )

    whole = restored(join(heard, channels="separate"))

    assert [(s.speaker, s.text) for s in whole.segments] == [
        ("SPEAKER_00", "What you can"),
        ("SPEAKER_01", "Thank you."),
    ]


def test_results_of_earlier_workers_have_the_text_alone():
    old = JobWarning(code="repetition", message="gone", start_ms=1_000, end_ms=2_000, text="so so")
    heard = result([piece((0, 400, "So"))], TURNS, warnings=[old])

    whole = restored(join(heard))

    assert [(w.start_ms, w.text) for s in whole.segments for w in s.words] == [
        (0, "So"),
        (1_000, "so"),
        (1_500, "so"),
    ]


def test_what_was_not_removed_is_as_it_was():
    transcript = join(result([piece((0, 400, "Yes."), (500, 900, "No."))], TURNS))

    assert restored(transcript) == transcript
