"""Blanks stand where the model wrote them, and nowhere else."""

from itertools import pairwise
from types import SimpleNamespace

import pytest

from gpu_job.contract import Word
from gpu_job.contract.word_joins import may_part, text_of, units
from gpu_job.transcribe.boilerplate import is_boilerplate
from gpu_job.transcribe.raw_segments import RawSegment, RawWord, raw_segment
from gpu_job.transcribe.repetition_loops import runs
from gpu_job.transcribe.segments import segments_of
from gpu_job.transcribe.windows import Piece, Window

WHOLE = Window(0, (Piece(0, 30_000, 0),))


def found(*written, times=True):
    """What faster-whisper gives for these texts, each 300 ms long."""
    words = [
        SimpleNamespace(start=i * 0.3, end=i * 0.3 + 0.3, word=text, probability=0.9)
        for i, text in enumerate(written)
    ]
    return SimpleNamespace(
        words=words if times else None,
        text="".join(written),
        start=0.0,
        end=0.3 * len(written),
        avg_logprob=-0.1,
        no_speech_prob=0.0,
        compression_ratio=1.0,
    )


SENTENCES = [
    ([" Vou", " levá", "-lo", " por", " 3", ",50."], "Vou levá-lo por 3,50."),
    ([" C", "'est", " l", "'eau", " d", "'ici."], "C'est l'eau d'ici."),
    ([" a", " well", "-known", " 3", ".5", "%"], "a well-known 3.5%"),
    (["はい", "、", "そう", "です", "。", " ", "では"], "はい、そうです。 では"),
    (["我们", "明天", "见", "。"], "我们明天见。"),
    (["ขอบ", "คุณ", "ครับ", " สวัสดี"], "ขอบคุณครับ สวัสดี"),
    ([" Hello ", "there"], "Hello there"),
    (["The", " end"], "The end"),
]


@pytest.mark.parametrize("times", [True, False])
@pytest.mark.parametrize(("written", "text"), SENTENCES)
def test_words_stand_as_the_model_wrote_them(written, text, times):
    raw = raw_segment(found(*written, times=times), 0)
    segments = list(segments_of(raw, WHOLE))

    assert raw.text == text
    assert [segment.text for segment in segments] == [text]
    assert [word.text for segment in segments for word in segment.words] == [
        word.text.strip() for word in raw.words
    ]


def test_a_sentence_without_blanks_is_spread_over_its_time():
    sentence = "私は明日東京駅で友達に会う予定です。よろしくお願いします。"
    words = raw_segment(found(sentence, times=False), 0).words

    assert len(words) > 4
    assert all(old.end_ms == new.start_ms for old, new in pairwise(words))
    assert not any(word.text[0] in "。、っー" for word in words)
    assert text_of(words) == sentence


def test_a_new_word_that_begins_a_segment_joins_nothing():
    assert raw_segment(found("The", " end"), 0).words[0].joins is False
    assert raw_segment(found("はい", "。"), 0).words[0].joins is True


def test_a_segment_never_ends_inside_a_word():
    texts = ["levá", "-lo"] * 30
    words = [
        RawWord(i * 500, i * 500 + 450, text, 0.9, joins=text == "-lo")
        for i, text in enumerate(texts)
    ]
    pause = [
        RawWord(40_000, 40_400, "well", 0.9),
        RawWord(42_000, 42_400, "-known", 0.9, joins=True),
    ]
    window = Window(0, (Piece(0, 60_000, 0),))

    segments = list(segments_of(RawSegment((*words, *pause)), window))

    assert len(segments) > 2
    assert all(segment.words[-1].text in {"-lo", "-known"} for segment in segments)
    assert all(not segment.words[0].joins for segment in segments)


def test_what_is_left_of_a_word_joins_nothing():
    """Where a rule took out the word that a rest belonged to."""
    raw = RawSegment((RawWord(0, 300, "-lo", 0.9, joins=True), RawWord(300, 600, "vi", 0.9)))
    (segment,) = segments_of(raw, WHOLE)
    assert segment.words[0].joins is False


def test_an_old_word_has_blanks_around_it():
    old = Word.model_validate({"start_ms": 0, "end_ms": 9, "text": "lo", "probability": 1})
    assert text_of([old, old]) == "lo lo"


def test_units_hold_what_must_not_be_parted():
    raw = raw_segment(found("これ", "は", "ペ", "ン", "です", "。", "第", "3", "回"), 0)
    assert ["".join(word.text for word in unit) for unit in units(raw.words)] == [
        "これ",
        "は",
        "ペ",
        "ン",
        "です。",
        "第",
        "3回",
    ]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("会う", "。"),
        ("「", "はい"),
        ("い", "っ"),
        ("コ", "ー"),
        ("3", "月"),
        ("เ", "ก"),
        ("ก", "า"),
        ("ก", "ั"),
        ("က", "ျ"),
        ("ក្", "រ"),
        ("well", "-known"),
        ("d", "'água"),
        ("한", "국"),
    ],
)
def test_no_break_stands_inside_a_word_or_before_a_closing_mark(before, after):
    assert not may_part(before, after)


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("ご視聴ありがとうございました。", "ja"),
        ("谢谢观看", "zh"),
        ("请不吝点赞,订阅,转发,打赏支持明镜与点点栏目", "zh"),
        ("ขอบคุณที่รับชม", "th"),
        ("ขอบคุณที่รับชมครับ", "th"),
    ],
)
def test_phrases_in_scripts_without_blanks_are_known_again(text, language):
    assert is_boilerplate(raw_segment(found(*text), 0).text, language)


def test_a_loop_is_found_where_a_word_is_a_sign():
    loop = list("วันนี้อากาศดีมากเลยครับ") * 5
    (run,) = runs(loop)
    assert (run.first, run.times, run.end) == (0, 5, len(loop))
