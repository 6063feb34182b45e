import json

import hypothesis.strategies as st
import pytest
from hypothesis import given
from pydantic import ValidationError

from escriba.transcripts.diarized import (
    SCHEMA_VERSION,
    DiarizedTranscript,
    NewerSchemaError,
    SpeakerTotal,
    dumps,
    loads,
)
from gpu_job.contract import Turn

GOLDEN = """\
{
"schema_version": 2,
"recording": "acme/call.mp3",
"language": "pt",
"language_probability": 0.99,
"model_revision": "r1",
"audio_ms": 2000,
"speech_ms": 900,
"speakers": [
{"label": "SPEAKER_00", "speaking_ms": 900, "words": 2}
],
"segments": [
{"start_ms": 0, "end_ms": 580, "speaker": "SPEAKER_00", "text": "Olá, amanhã.", "words": [\
{"start_ms": 0, "end_ms": 280, "text": "Olá,", "probability": 0.9, "speaker": "SPEAKER_00", \
"joins": false}, \
{"start_ms": 300, "end_ms": 580, "text": "amanhã.", "probability": 0.9, "speaker": "SPEAKER_00", \
"joins": false}]}
],
"turns": [
{"start_ms": 0, "end_ms": 900, "speaker": "SPEAKER_00"}
],
"warnings": [],
"removed": [],
"model": "",
"weights": "",
"toy": false,
"diarizer": "",
"word_times": ""
}
"""


@pytest.fixture
def transcript(say):
    return DiarizedTranscript(
        recording="acme/call.mp3",
        language="pt",
        language_probability=0.99,
        model_revision="r1",
        audio_ms=2_000,
        speech_ms=900,
        speakers=(SpeakerTotal(label="SPEAKER_00", speaking_ms=900, words=2),),
        segments=(say("SPEAKER_00", "Olá, amanhã."),),
        turns=(Turn(start_ms=0, end_ms=900, speaker="SPEAKER_00"),),
    )


def test_the_file_has_a_line_for_each_segment_and_turn(transcript):
    assert dumps(transcript) == GOLDEN


def test_what_is_written_is_read_back(transcript):
    assert loads(dumps(transcript)) == transcript
    assert loads(dumps(transcript).encode()) == transcript


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_any_text_survives(text):
    fields = json.loads(GOLDEN) | {"recording": text}
    assert loads(dumps(loads(json.dumps(fields)))).recording == text


def test_a_file_of_a_newer_schema_says_so():
    newer = GOLDEN.replace('"schema_version": 2', f'"schema_version": {SCHEMA_VERSION + 1}')
    with pytest.raises(NewerSchemaError, match=r"schema_version 3.* reads up to 2.*upgrade"):
        loads(newer)


def test_a_newer_file_is_recognized_whatever_else_it_holds():
    with pytest.raises(NewerSchemaError):
        loads('{"schema_version": 99, "segments": "elsewhere"}')


def test_fields_of_a_later_minor_version_are_ignored():
    fields = json.loads(GOLDEN)
    fields["summary"] = "a call"
    fields["segments"][0]["words"][0]["confidence"] = "high"
    assert loads(json.dumps(fields)) == loads(GOLDEN)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"schema_version": 1}', '{"schema_version": 0}'])
def test_a_text_that_is_no_transcript_is_refused(text):
    with pytest.raises(ValidationError):
        loads(text)


def test_an_older_file_is_read_with_blanks_as_they_were():
    older = GOLDEN.replace('"schema_version": 2', '"schema_version": 1')
    older = older.replace(', "joins": false', "").replace("Olá, amanhã.", "levá -lo")
    (segment,) = loads(older).segments
    assert segment.text == "levá -lo"
    assert not any(word.joins for word in segment.words)
