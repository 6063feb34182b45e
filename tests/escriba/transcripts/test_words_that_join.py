"""A word and the rest that joins it are one: for speakers, paragraphs, cues and lines."""

from itertools import pairwise

import pytest

from escriba.transcripts.cue_text import split_into_phrases
from escriba.transcripts.cues import make_cues
from escriba.transcripts.line_breaks import cue_spans
from escriba.transcripts.merge_speakers import diarize
from escriba.transcripts.plain_text import to_text
from escriba.transcripts.subtitle_layout import CHINESE, JAPANESE, KOREAN, OTHERS, THAI, layout_for
from escriba.transcripts.text_width import columns
from gpu_job.contract import JobResult, Segment, Turn, Word
from tests.escriba.transcripts.test_merge_speakers import USAGE

TURNS = (
    Turn(start_ms=0, end_ms=500, speaker="SPEAKER_00"),
    Turn(start_ms=500, end_ms=9_000, speaker="SPEAKER_01"),
)


def heard(*segments, turns=(), word_ms=300, language="pt"):
    """Segments as texts of words; one without a blank before it joins the one before."""
    at, made = 0, []
    for texts in segments:
        words = []
        for text in texts:
            joins = not text.startswith(" ")
            words.append(
                Word(
                    start_ms=at,
                    end_ms=at + word_ms,
                    text=text.strip(),
                    probability=0.9,
                    joins=joins,
                )
            )
            at += word_ms
        made.append(Segment(start_ms=words[0].start_ms, end_ms=at, words=tuple(words)))
    result = JobResult(
        job="j",
        attempt=1,
        nonce="n",
        language=language,
        language_probability=1,
        model_revision="r",
        segments=tuple(made),
        turns=turns,
        usage=USAGE,
    )
    return diarize(result, recording="a.mp3", audio_ms=at, regions=())


def shown(transcript):
    return [cue.lines for cue in make_cues(transcript.segments, transcript.language)]


def test_a_rest_has_the_speaker_of_the_word_that_it_joins():
    transcript = heard([" levá", "-lo", " sim"], turns=TURNS)

    assert [(part.speaker, part.text) for part in transcript.segments] == [
        ("SPEAKER_00", "levá-lo"),
        ("SPEAKER_01", "sim"),
    ]


def test_a_script_without_blanks_may_change_speakers_between_its_words():
    transcript = heard(["はい", "。", "そう", "です", "。"], turns=TURNS, language="ja")

    assert [(part.speaker, part.text) for part in transcript.segments] == [
        ("SPEAKER_00", "はい。"),
        ("SPEAKER_01", "そうです。"),
    ]


@pytest.mark.parametrize(
    ("segments", "text"),
    [
        ([[" d", "'água", " 3", ",50."], [" C", "'est"]], "d'água 3,50. C'est"),
        ([["はい", "。"], ["そうです", "。"]], "はい。そうです。"),
        ([["はい", "。"], [" Hello"], ["明日"]], "はい。 Hello 明日"),
        ([["ครับ"], [" ครับ"]], "ครับ ครับ"),
    ],
)
def test_a_paragraph_has_the_blanks_of_its_script(segments, text):
    transcript = heard(*segments)

    assert to_text(transcript.segments) == f"[0:00:00] SPEAKER_UNKNOWN: {text}\n"
    assert shown(transcript) == [(text,)]


def test_neither_a_cue_nor_a_line_ends_inside_a_word():
    texts = [
        " Vou",
        " levá",
        "-lo",
        " por",
        " 3",
        ",50",
        " a",
        " well",
        "-known",
        " d",
        "'água",
    ] * 9
    lines = [line for cue in shown(heard(texts)) for line in cue]

    assert " ".join(lines) == "Vou levá-lo por 3,50 a well-known d'água " * 8 + (
        "Vou levá-lo por 3,50 a well-known d'água"
    )


def test_who_talks_over_a_word_does_not_tear_it():
    talk = heard([" Vou", " levá", "-lo", " agora"]).segments
    other = (
        heard([" Sim"])
        .segments[0]
        .model_copy(update={"speaker": "SPEAKER_09", "start_ms": 700, "end_ms": 1_000})
    )
    words = (other.words[0].model_copy(update={"start_ms": 700, "end_ms": 1_000}),)
    cues = make_cues([*talk, other.model_copy(update={"words": words})])

    assert "levá-lo" in " ".join(line for cue in cues for line in cue.lines)


JAPANESE_TEXT = (
    "本日は、お忙しい中、会議にご参加いただきまして、ありがとうございます。"
    "それでは、最初の議題について説明いたします。昨年の売り上げは、前の年と比べて"
    "およそ3パーセント増えましたが、ユーザーの数はわずかに減っています。"
)


@pytest.mark.parametrize("size", [1, 2, 200])
def test_japanese_keeps_to_its_guide_and_to_kinsoku(size):
    texts = [JAPANESE_TEXT[at : at + size] for at in range(0, len(JAPANESE_TEXT), size)]
    cues = make_cues(heard(texts, word_ms=150 * size, language="ja").segments, "ja")
    lines = [line for cue in cues for line in cue.lines]

    assert "".join(lines) == JAPANESE_TEXT
    assert all(columns(line) <= 26 for line in lines)
    assert not any(line[0] in "、。ーっゃゅょァー" or line[-1] in "「（" for line in lines)
    for cue, following in pairwise(cues):
        needed_ms = sum(map(len, cue.lines)) * 250
        assert cue.end_ms - cue.start_ms >= needed_ms or cue.end_ms == following.start_ms


def test_japanese_breaks_after_marks_and_between_phrases():
    cues = make_cues(heard(list(JAPANESE_TEXT), word_ms=180, language="ja").segments, "ja")
    assert cues[0].lines == ("本日は、お忙しい中、会議に", "ご参加いただきまして、")
    assert all(cue.lines[-1][-1] in "、。はに" for cue in cues)


@pytest.mark.parametrize(
    ("text", "language", "guide"),
    [
        ("ありがとうございます。", "ja", JAPANESE),
        ("東京都", "ja", JAPANESE),
        ("谢谢观看", "zh", CHINESE),
        ("안녕하세요 여러분", "ko", KOREAN),
        ("ขอบคุณครับ", "th", THAI),
        ("Obrigado, 東京", "pt", OTHERS),
        ("Hello everybody", "ja", OTHERS),
        ("नमस्ते दोस्तों", "hi", OTHERS),
        ("123 …", "ja", OTHERS),
    ],
)
def test_the_guide_is_that_of_the_script(text, language, guide):
    assert layout_for(text, language) == guide


def test_thai_is_never_parted_inside_a_letter():
    text = "สวัสดีครับวันนี้เราจะมาพูดถึงเรื่องการทำอาหารไทยที่บ้านกันนะครับ" * 3
    lines = [
        line for cue in make_cues(heard(list(text), word_ms=60).segments) for line in cue.lines
    ]

    assert "".join(lines) == text
    assert all(columns(line) <= 35 for line in lines)
    assert not any(line[0] in "ะัาำิีึืฺุู็่้๊๋์" or line[-1] in "เแโใไ" for line in lines)


def test_spans_are_cut_by_the_room_that_words_really_need():
    (phrase,) = split_into_phrases(heard(["あ"] * 40, word_ms=100).segments)
    assert all(end - first <= 26 for first, end in cue_spans(phrase.tokens, phrase.guide))
