"""Every format holds what was said, and bears whatever people say."""

import csv
import io

import docx
import hypothesis.strategies as st
import pysubs2
import pytest
import webvtt
from hypothesis import given, settings

from escriba.transcripts.csv_tables import to_csv, to_tsv
from escriba.transcripts.cues import make_cues
from escriba.transcripts.diarized import DiarizedSegment, DiarizedTranscript
from escriba.transcripts.formats import files_of
from escriba.transcripts.render_options import FORMATS, RenderOptions, check_formats
from escriba.transcripts.speakers import SPEAKER_UNKNOWN
from escriba.transcripts.subtitles import to_srt, to_vtt
from escriba.transcripts.text_width import columns


def transcript(*segments, turns=(), language="en"):
    return DiarizedTranscript(
        recording="acme/call.mp3",
        language=language,
        language_probability=1,
        model_revision="small@1",
        audio_ms=60_000,
        speech_ms=9_000,
        speakers=(),
        segments=segments,
        turns=turns,
    )


def texts(found, render_options=RenderOptions()):  # noqa: B008  # frozen
    return {name: files_of(found, render_options)[file] for name, file in FORMATS.items()}


def rows(table):
    return list(csv.reader(io.StringIO(table.removeprefix("\ufeff"), newline="")))


def test_a_table_is_whispers_own(say):
    segments = [say("A", "Good morning."), say("B", "Fine,\tthanks.", start_ms=1_500)]
    assert (
        to_tsv(segments) == "start\tend\ttext\n0\t580\tGood morning.\n1500\t1780\tFine, thanks.\n"
    )


def test_a_sheet_has_speakers_and_opens_in_excel(say):
    table = to_csv([say("A", 'He said "no", twice.', start_ms=3_723_000)])

    assert table.startswith("\ufeffstart_ms,end_ms,start,speaker,text\r\n")
    assert rows(table)[1] == ["3723000", "3724180", "1:02:03", "A", 'He said "no", twice.']


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_no_cell_of_a_sheet_is_a_formula(text):
    for start in ("=", "+", "-", "@", "\t=", "\r@", " =", "＝", ""):
        segment = _segment(start + text)
        cell = rows(to_csv([segment]))[1][4]
        assert not cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"))


def _segment(text):
    return DiarizedSegment(start_ms=0, end_ms=1, speaker="A", text=text, words=())


def paragraphs(body):
    return [paragraph.text for paragraph in docx.Document(io.BytesIO(body)).paragraphs]


def test_a_word_document_has_a_paragraph_for_each_turn(say):
    found = transcript(
        say("SPEAKER_00", "Good morning."),
        say("SPEAKER_01", "Olá, amanhã.", start_ms=3_723_000),
    )
    body = files_of(found, RenderOptions())["transcript.docx"]

    assert paragraphs(body) == [
        "acme/call.mp3",
        "0:01:00 · en · small@1",
        "SPEAKER_00  0:00:00",
        "Good morning.",
        "SPEAKER_01  1:02:03",
        "Olá, amanhã.",
    ]
    told = docx.Document(io.BytesIO(body)).core_properties
    assert (told.title, told.author, told.language) == ("acme/call.mp3", "", "en")


@settings(max_examples=25, deadline=None)
@given(st.text(st.characters(), min_size=1))
def test_a_word_document_bears_any_sign(text):
    found = transcript(_segment(f"a{text}\x00\x1b\ud800\ufffe b"))
    assert paragraphs(files_of(found, RenderOptions(), ["docx"])["transcript.docx"])[-1].endswith(
        "b"
    )


def test_arabic_runs_from_right_to_left_in_a_word_document():
    body = files_of(transcript(_segment("مرحبا بكم")), RenderOptions(), ["docx"])["transcript.docx"]
    assert "w:bidi" in docx.Document(io.BytesIO(body)).paragraphs[-1]._p.xml


def test_where_nobody_was_asked_for_speakers_none_is_named(say):
    files = texts(
        transcript(say(SPEAKER_UNKNOWN, "Good morning.")),
        RenderOptions(subtitle_speakers="changes"),
    )

    assert files["txt"] == b"[0:00:00] Good morning.\n"
    for name in ("txt", "srt", "vtt", "tsv", "csv"):
        assert b"SPEAKER" not in files[name], name
        assert b"Good morning." in files[name], name
    assert "SPEAKER" not in "".join(paragraphs(files["docx"]))


def test_who_is_unknown_among_others_is_said_to_be(say):
    files = texts(transcript(say("SPEAKER_00", "Hm."), say(SPEAKER_UNKNOWN, "So.", start_ms=900)))
    assert b"SPEAKER_UNKNOWN: So." in files["txt"]
    assert b"<v SPEAKER_UNKNOWN>" in files["vtt"]


def test_subtitles_name_the_speaker_where_another_begins(say):
    long = "I called because my last invoice, which came on Tuesday, shows a fee that is new to me."
    found = transcript(
        say("SPEAKER_00", long),
        say("SPEAKER_00", "Really.", start_ms=9_000),
        say("SPEAKER_01", "I see.", start_ms=12_000),
    )

    plain = files_of(found, RenderOptions())
    named = files_of(found, RenderOptions(subtitle_speakers="changes"))
    cues = [
        event.plaintext for event in pysubs2.SSAFile.from_string(named["transcript.srt"].decode())
    ]

    assert [cue.startswith("[SPEAKER_0") for cue in cues] == [True] + [False] * (len(cues) - 2) + [
        True
    ]
    assert cues[-1] == "[SPEAKER_01] I see."
    assert all(columns(line) <= 42 for cue in cues for line in cue.split("\n"))
    assert b"[" not in plain["transcript.srt"]
    assert named["transcript.vtt"] == plain["transcript.vtt"]


@pytest.mark.parametrize("word", ["x" * 41, "x" * 100])
def test_a_name_is_never_alone_in_its_cue(say, word):
    cues = make_cues([say("SPEAKER_00", f"{word} and so on")], labels=True)
    assert all(set(cue.lines) - {"[SPEAKER_00]"} for cue in cues)
    assert all(columns(line) <= 42 for cue in cues for line in cue.lines)


def test_each_word_of_a_highlighted_cue_has_its_time(say):
    cues = make_cues([say("A", "Is it <b> or not?")])
    assert to_vtt(cues, highlight=True) == (
        "WEBVTT\n\n00:00:00.000 --> 00:00:01.480\n"
        "<v A><c>Is</c> <00:00:00.300><c>it</c> <00:00:00.600><c>&lt;b&gt;</c> "
        "<00:00:00.900><c>or</c> <00:00:01.200><c>not?</c></v>\n"
    )


def test_times_of_words_rise_and_lie_inside_their_cue(say):
    segments = [say("AB"[i % 2], "one two three", start_ms=300 * i, word_ms=90) for i in range(20)]
    cues = make_cues(segments)
    read = webvtt.from_string(to_vtt(cues, highlight=True))

    for cue, caption in zip(cues, read, strict=True):
        assert caption.text == "\n".join(cue.lines)
        marks = [part.split(">")[0] for part in caption.raw_text.split("<") if part[:2] == "00"]
        assert marks == sorted(set(marks))
        assert all(caption.start < mark < caption.end for mark in marks)


def test_srt_never_has_times_of_words(say):
    assert "<" not in to_srt(make_cues([say("A", "one two")]))


@pytest.mark.parametrize(
    ("told", "formats"),
    [
        ("srt, TXT", ("txt", "srt", "json")),
        ("", ("json",)),
        ("all", tuple(FORMATS)),
        (["docx"], ("docx", "json")),
    ],
)
def test_formats_are_read_as_people_write_them(told, formats):
    assert check_formats(told) == formats


def test_an_unknown_format_is_named():
    with pytest.raises(ValueError, match="'pdf' is not a format; the formats are txt, srt"):
        check_formats("txt,pdf")
