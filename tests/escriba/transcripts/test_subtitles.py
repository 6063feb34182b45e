import html
import re

import hypothesis.strategies as st
import pysubs2
import webvtt
from hypothesis import assume, given, settings

from escriba.transcripts.cues import Cue, make_cues
from escriba.transcripts.subtitles import to_srt, to_vtt
from escriba.transcripts.text_width import tidy_words

SRT = """\
1
00:00:01,000 --> 00:00:03,500
Good morning,
how are you?

2
00:00:59,999 --> 00:01:01,001
Fine \u2039b\u203a --\u203a & (you).

"""
VTT = """\
WEBVTT

00:00:01.000 --> 00:00:03.500
<v SPEAKER_00>Good morning,
how are you?</v>

00:00:59.999 --> 00:01:01.001
<v R&amp;D &lt;1&gt;>Fine &lt;b&gt; --&gt; &amp; {you}.</v>
"""
CUES = [
    Cue(1_000, 3_500, "SPEAKER_00", ("Good morning,", "how are you?")),
    Cue(59_999, 61_001, "R&D\n<1>", ("Fine <b> --> & {you}.",)),
]
LOOKALIKES = {"<": "\u2039", ">": "\u203a", "{": "(", "}": ")", "\\": "\u2216"}

lines_of = st.lists(
    st.one_of(
        st.sampled_from(
            [
                "-->",
                "<v Bob>",
                "<i>x</i>",
                "&lt;",
                "{\\an8}",
                "\\N",
                "NOTE",
                "WEBVTT",
                "7",
                "שלום 👍🏽",
            ]
        ),
        st.text(min_size=1),
    )
    .map(lambda text: " ".join(tidy_words(text)))
    .filter(bool),
    min_size=1,
    max_size=2,
)


@st.composite
def cues_of(draw):
    cues, at = [], 0
    for _ in range(draw(st.integers(0, 8))):
        start_ms = at + draw(st.integers(0, 10_000_000))
        at = start_ms + draw(st.integers(1, 7_000))
        speaker = draw(st.sampled_from(["SPEAKER_00", "SPEAKER_UNKNOWN", "R&D <1>"]))
        cues.append(Cue(start_ms, at, speaker, tuple(draw(lines_of))))
    return cues


def milliseconds(clock):
    hours, minutes, seconds = clock.split(":")
    return (int(hours) * 60 + int(minutes)) * 60_000 + int(seconds.replace(".", ""))


def test_srt_is_written_as_players_know_it():
    assert to_srt(CUES) == SRT


def test_vtt_names_the_voice_and_escapes_markup():
    assert to_vtt(CUES) == VTT


@settings(max_examples=100, deadline=None)
@given(cues_of())
def test_srt_reads_back_with_the_same_cues_times_and_words(cues):
    # pysubs2 takes digits that end the last cue for the number of another one.
    assume(not cues or not re.fullmatch(r"\d+", cues[-1].lines[-1]))
    read = pysubs2.SSAFile.from_string(to_srt(cues), format_="srt")
    assert [(event.start, event.end) for event in read] == [(c.start_ms, c.end_ms) for c in cues]
    expected = ["\n".join(cue.lines).translate(str.maketrans(LOOKALIKES)) for cue in cues]
    assert [event.plaintext for event in read] == expected


@settings(max_examples=100, deadline=None)
@given(cues_of())
def test_vtt_reads_back_with_the_same_cues_times_voices_and_words(cues):
    read = webvtt.from_string(to_vtt(cues))
    times = [(milliseconds(caption.start), milliseconds(caption.end)) for caption in read]
    assert times == [(cue.start_ms, cue.end_ms) for cue in cues]
    for cue, caption in zip(cues, read, strict=True):
        voice, text = re.fullmatch(r"<v (.+?)>(.*)</v>", caption.raw_text, re.DOTALL).groups()
        assert (html.unescape(voice), html.unescape(text)) == (cue.speaker, "\n".join(cue.lines))


def test_a_conversation_reads_back_from_both_formats(say):
    cues = make_cues(
        [say("SPEAKER_00", "Is it a < b --> c?"), say("SPEAKER_01", "Yes & no.", start_ms=4_000)]
    )
    srt = pysubs2.SSAFile.from_string(to_srt(cues))
    vtt = webvtt.from_string(to_vtt(cues))
    assert [event.start for event in srt] == [milliseconds(caption.start) for caption in vtt]
    assert [caption.voice for caption in vtt] == ["SPEAKER_00", "SPEAKER_01"]


def test_no_cues_are_an_empty_file_of_each_format():
    assert to_srt([]) == ""
    assert to_vtt([]) == "WEBVTT\n"
