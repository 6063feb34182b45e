from collections import defaultdict
from itertools import pairwise, zip_longest

import hypothesis.strategies as st
from hypothesis import given, settings

from escriba.transcripts.cues import Cue, make_cues
from escriba.transcripts.diarized import DiarizedSegment, DiarizedWord
from escriba.transcripts.subtitle_layout import layout_of
from escriba.transcripts.subtitle_rules import ByScript, CharsPerLine, CharsPerSecond, SubtitleRules
from escriba.transcripts.text_width import columns, tidy_words

ODD = [
    "<v Bob>",
    "-->",
    "&amp;",
    "{\\an8}",
    "\\N",
    "a\nb",
    "",
    " ",
    "\u200b",
    "a\x00",
    "שָׁלוֹם",
    "مرحبا،",
    "👨\u200d👩\u200d👧",
    "e\u0301",
    "日本語。",
    "https://example.com/" + "x" * 90,
    "e\u0301" * 60,
    "👍🏽" * 50,
    "42",
]
texts = st.one_of(
    st.sampled_from(["so", "yes,", "no.", "and", "interesting", "I", "because", "tomorrow?"]),
    st.sampled_from(ODD),
    st.text(max_size=60),
)
# A silence before it, its own length, its text.
timed_words = st.tuples(
    st.sampled_from([0, 0, 0, 20, 150, 450, 1_200]),
    st.sampled_from([0, 0, 60, 200, 350, 900, 9_000]),
    texts,
)
speakers = st.sampled_from(["SPEAKER_00", "SPEAKER_01", "SPEAKER_UNKNOWN"])


def segment(speaker, start_ms, parts):
    words, at = [], start_ms
    for pause_ms, length_ms, text in parts:
        at += pause_ms
        words.append(
            DiarizedWord(
                start_ms=at, end_ms=at + length_ms, text=text, probability=0.5, speaker=speaker
            )
        )
        at += length_ms
    return DiarizedSegment(
        start_ms=words[0].start_ms, end_ms=at, speaker=speaker, text="", words=words
    )


@st.composite
def conversations(draw, *, at_once=True):
    """Segments of up to three speakers in order, who may talk at once."""
    segments, at = [], 0
    for _ in range(draw(st.integers(0, 6))):
        backwards = draw(st.sampled_from([0, 0, 500, 5_000])) if at_once else 0
        start_ms = max(0, at - backwards + draw(st.sampled_from([1, 40, 700, 8_000])))
        parts = draw(st.lists(timed_words, min_size=1, max_size=25))
        segments.append(segment(draw(speakers), start_ms, parts))
        at = segments[-1].end_ms
    return segments


def gaps(cues):
    """Each cue with the start of the next; the last has endless room."""
    return zip_longest(cues, (cue.start_ms for cue in cues[1:]), fillvalue=float("inf"))


def letters(texts):
    return "".join(part for text in texts for part in tidy_words(text))


@settings(max_examples=200, deadline=None)
@given(conversations())
def test_every_cue_obeys_every_rule(segments):
    cues = make_cues(segments)
    for old, new in pairwise(cues):
        assert old.start_ms < new.start_ms
        assert old.end_ms <= new.start_ms
    for cue, next_ms in gaps(cues):
        shown_ms = cue.end_ms - cue.start_ms
        assert isinstance(cue.start_ms, int)
        assert isinstance(cue.end_ms, int)
        assert 0 < shown_ms <= 7_000
        assert shown_ms >= 1_000 or cue.end_ms == next_ms
        speed = cue.guide.columns_per_second
        assert cue.columns * 1_000 <= speed * shown_ms or cue.end_ms == next_ms
        assert 1 <= len(cue.lines) <= 2
        for line in cue.lines:
            assert 0 < columns(line) <= cue.guide.line_columns <= 42
            assert " ".join(tidy_words(line)) == line


RULES = [
    SubtitleRules(subtitle_chars_per_line=CharsPerLine(default=20, japanese=10), subtitle_lines=3),
    SubtitleRules(subtitle_lines=1, subtitle_min_ms=833, subtitle_delay_ms=0),
    SubtitleRules(subtitle_chars_per_second=CharsPerSecond(default=6, thai=5, japanese=2)),
    SubtitleRules(subtitle_max_ms=3_300, subtitle_pause_ms=300, subtitle_min_ms=3_000),
]


@settings(max_examples=200, deadline=None)
@given(conversations(), st.sampled_from(RULES))
def test_every_cue_obeys_the_rules_that_somebody_sets(segments, rules):
    guides = [layout_of(script, rules) for script in ByScript.model_fields]
    for cue, next_ms in gaps(make_cues(segments, rules=rules)):
        shown_ms = cue.end_ms - cue.start_ms
        assert cue.guide in guides
        assert 0 < shown_ms <= rules.subtitle_max_ms
        assert shown_ms >= rules.subtitle_min_ms or cue.end_ms == next_ms
        speed = cue.guide.columns_per_second
        assert cue.columns * 1_000 <= speed * shown_ms or cue.end_ms == next_ms
        assert 1 <= len(cue.lines) <= rules.subtitle_lines
        assert all(0 < columns(line) <= cue.guide.line_columns for line in cue.lines)


def test_three_lines_are_even_and_break_at_good_places(say):
    text = "When the meeting had ended, everybody went home by train, and nobody saw the lights."
    rules = SubtitleRules(subtitle_chars_per_line=CharsPerLine(default=30), subtitle_lines=3)
    assert [cue.lines for cue in make_cues([say("A", text)], rules=rules)] == [
        (
            "When the meeting had ended,",
            "everybody went home by train,",
            "and nobody saw the lights.",
        ),
    ]


def test_one_line_is_one_line(say):
    text = "I have never seen such a thing. We should ask them about it tomorrow before we leave."
    cues = make_cues([say("A", text)], rules=SubtitleRules(subtitle_lines=1))
    assert [cue.lines for cue in cues] == [
        ("I have never seen such a thing.",),
        ("We should ask them about it tomorrow",),
        ("before we leave.",),
    ]


def test_a_pause_ends_a_cue_where_the_rules_say_so(say):
    segments = [say("A", "I think"), say("A", "so too.", start_ms=1_000)]
    assert len(make_cues(segments)) == 1
    assert len(make_cues(segments, rules=SubtitleRules(subtitle_pause_ms=300))) == 2


def test_no_cue_is_late_where_none_may_be(say):
    talk = "I called because my last invoice, which arrived on Tuesday, shows a fee again."
    segments = [say("A", talk, word_ms=50), say("B", "Mm-hmm.", start_ms=660)]
    cues = make_cues(segments, rules=SubtitleRules(subtitle_delay_ms=0))
    assert [(cue.speaker, cue.start_ms) for cue in cues] == [("A", 0), ("B", 660)]


@settings(max_examples=100, deadline=None)
@given(conversations())
def test_nothing_is_lost_and_nobody_speaks_for_another(segments):
    spoken, shown = defaultdict(str), defaultdict(str)
    for part in segments:
        spoken[part.speaker] += letters(word.text for word in part.words)
    for cue in make_cues(segments):
        shown[cue.speaker] += letters(cue.lines)
    for speaker, text in spoken.items():
        assert sorted(shown[speaker]) == sorted(text)


@settings(max_examples=100, deadline=None)
@given(conversations(at_once=False))
def test_words_stay_in_order_where_one_speaks_after_the_other(segments):
    spoken = letters(word.text for part in segments for word in part.words)
    assert letters(line for cue in make_cues(segments) for line in cue.lines) == spoken


def test_a_long_sentence_breaks_after_a_comma_and_evenly(say):
    text = (
        "When the meeting had ended, everybody went home by train, and nobody noticed "
        "that the lights in the great hall were still on."
    )
    assert [cue.lines for cue in make_cues([say("A", text)])] == [
        ("When the meeting had ended,", "everybody went home by train,"),
        ("and nobody noticed that the lights", "in the great hall were still on."),
    ]


def test_a_sentence_end_is_the_best_place_to_break(say):
    text = "I have never seen such a thing. We should ask them about it tomorrow before we leave."
    assert [cue.lines for cue in make_cues([say("A", text)])] == [
        ("I have never seen such a thing.",),
        ("We should ask them about it tomorrow", "before we leave."),
    ]


def test_without_punctuation_a_cue_breaks_evenly(say):
    cues = make_cues([say("A", " ".join(["word"] * 20))])
    assert [cue.lines for cue in cues] == [(" ".join(["word"] * 5),) * 2] * 2


def test_a_breath_parts_like_a_comma(say):
    rest = "there was nobody inside of it at that late time of the night who could help us"
    cues = make_cues([say("A", "she opened the door"), say("A", rest, start_ms=1_700)])
    assert [" ".join(cue.lines) for cue in cues] == ["she opened the door", rest]


def test_short_sentences_share_a_cue(say):
    (cue,) = make_cues([say("A", "Yes. I do. Thank you.", word_ms=1_100)])
    assert cue.lines == ("Yes. I do. Thank you.",)


def test_words_said_in_haste_share_a_cue_with_those_that_leave_time_to_read(say):
    hasty, slow = " ".join(["fast"] * 8), " ".join(["slow"] * 12)
    cues = make_cues([say("A", hasty, word_ms=125), say("A", slow, start_ms=1_000, word_ms=500)])
    assert len(cues) == 2
    assert all(cue.columns * 1_000 <= 17 * (cue.end_ms - cue.start_ms) for cue in cues)


def test_slow_speech_stands_as_long_as_it_is_heard(say):
    cues = make_cues([say("A", " ".join(["slow"] * 8), word_ms=900, pause_ms=0)])
    assert [(cue.start_ms, cue.end_ms) for cue in cues] == [(0, 3_600), (3_600, 7_200)]


def test_segments_of_one_speaker_at_the_same_time_are_not_mixed(say):
    cues = make_cues([say("A", "one two three"), say("A", "four five", start_ms=100)])
    assert [cue.lines for cue in cues] == [("one two three",), ("four five",)]


def test_a_cue_that_another_talks_over_is_given_time_to_be_read(say):
    talk = "I called because my last invoice, which arrived on Tuesday, shows a fee."
    cues = make_cues([say("A", talk), say("B", "Mm-hmm.", start_ms=2_900)])
    assert (cues[0].columns, cues[0].end_ms) == (58, 3_412)
    assert (cues[1].speaker, cues[1].start_ms) == ("B", 3_412)


def test_no_cue_comes_more_than_a_second_and_a_half_late(say):
    talk = "I called because my last invoice, which arrived on Tuesday, shows a fee again."
    cues = make_cues([say("A", talk, word_ms=50), say("B", "Mm-hmm.", start_ms=660)])
    assert cues[0].columns * 1_000 // 17 > 3_500  # what the first one needs to be read
    assert [(cue.speaker, cue.start_ms) for cue in cues] == [("A", 0), ("B", 2_160)]


def test_a_cue_stays_into_the_silence_until_it_can_be_read(say):
    (cue,) = make_cues([say("A", "Seventeen letters in a hurry, twice!", word_ms=100)])
    assert (cue.start_ms, cue.end_ms) == (0, 2_118)  # 36 columns at 17 a second


def test_a_pause_ends_a_cue(say):
    cues = make_cues([say("A", "Well,"), say("A", "perhaps.", start_ms=2_000)])
    assert [(cue.start_ms, cue.end_ms) for cue in cues] == [(0, 1_000), (2_000, 3_000)]


def test_segments_of_one_speaker_are_joined(say):
    (cue,) = make_cues([say("A", "I think"), say("A", "so too.", start_ms=600)])
    assert cue.lines == ("I think so too.",)


def test_a_short_answer_can_be_read_before_the_next_speaker_is_shown(say):
    cues = make_cues([say("A", "Right."), say("B", "And now to the weather.", start_ms=300)])
    assert cues == [
        Cue(0, 1_000, "A", ("Right.",)),
        Cue(1_000, 2_353, "B", ("And now to the weather.",)),
    ]


def test_no_cue_of_a_quick_exchange_is_late_or_squeezed(say):
    segments = [say("AB"[i % 2], f"word{i}", start_ms=300 * i) for i in range(50)]
    for i, (cue, next_ms) in enumerate(gaps(make_cues(segments))):
        assert 0 <= cue.start_ms - 300 * i <= 1_500
        assert next_ms - cue.start_ms >= 300


def test_who_goes_on_while_another_agrees_is_cut_there(say):
    talk = "I called because my last invoice, which came on Tuesday, shows a fee."
    cues = make_cues([say("A", talk), say("B", "Mm-hmm.", start_ms=1_800)])
    assert [(cue.speaker, cue.lines) for cue in cues] == [
        ("A", ("I called because my last invoice,",)),
        ("B", ("Mm-hmm.",)),
        ("A", ("which came on Tuesday, shows a fee.",)),
    ]


def test_a_word_wider_than_a_line_is_cut_and_shares_its_time(say):
    cues = make_cues([say("A", "x" * 100, word_ms=6_000)])
    assert [cue.lines for cue in cues] == [("x" * 42,), ("x" * 42, "x" * 16)]
    assert [cue.start_ms for cue in cues] == [0, 1_993]  # 5,980 ms in three


def test_a_word_of_more_than_seven_seconds_ends_early(say):
    (cue,) = make_cues([say("A", "Goooal!", word_ms=20_000)])
    assert (cue.start_ms, cue.end_ms) == (0, 7_000)


def test_a_thousand_words_at_one_moment_are_all_shown(say):
    cues = make_cues([say("A", " ".join(["now"] * 1_000), word_ms=0, pause_ms=0)])
    assert all(old.start_ms < old.end_ms <= new.start_ms for old, new in pairwise(cues))
    assert sum(line.split().count("now") for cue in cues for line in cue.lines) == 1_000


def test_silence_has_no_cues():
    assert make_cues([]) == []
