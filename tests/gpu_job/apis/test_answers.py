"""What APIs answer, and what their refusals mean."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from gpu_job.apis.answers import TimedText, UnreadableAnswerError, answer_of
from gpu_job.apis.failures import failure_of
from gpu_job.apis.marked_words import marked
from gpu_job.apis.request_form import form_of
from gpu_job.contract import JobOptions
from gpu_job.contract.api_presets import preset_of

OPENAI, GROQ = "https://api.openai.com/v1", "https://api.groq.com/openai/v1"
MISTRAL = "https://api.mistral.ai/v1"


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"{", b"[]", b"null", b"<html>", b'{"text": null}', b'{"language": "en"}'),
        b'{"text": "a", "words": [{"word": "a", "start": "NaN", "end": 1}]}',
        b'{"text": "a", "words": [{"word": "a", "start": 1}]}',
        b'{"text": "a", "words": 7}',
    ],
)
def test_what_is_no_answer_is_an_error(body):
    with pytest.raises(UnreadableAnswerError):
        answer_of(body)


def test_gpt_transcribe_lists_languages():
    assert answer_of(b'{"text": " hi ", "languages": ["pt", "en"]}').language == "pt"
    assert answer_of(b'{"text": "hi", "languages": []}').language == ""


def test_names_of_languages_become_codes():
    assert answer_of(b'{"text": "oi", "language": "Portuguese"}').language == "pt"


@pytest.mark.parametrize(
    ("status", "said", "kind"),
    [
        (429, "slow down", "again"),
        (500, "", "again"),
        (529, "", "again"),
        (413, "", "too_long"),
        (400, "audio duration 1500 seconds is longer than 1400 seconds", "too_long"),
        (400, "unknown parameter: foo", "refused"),
        (401, "bad key", "refused"),
        (403, "no access", "refused"),
        (404, "no such model", "refused"),
    ],
)
def test_each_status_is_classified_once(status, said, kind):
    body = f'{{"error": {{"message": "{said}"}}}}'.encode()

    assert failure_of(status, body, "", "k").kind == kind


def test_no_key_and_no_address_reach_an_error():
    for said in ("Incorrect key: sk-abcdWXYZ", "key ends in WXYZ", "see https://x.test/?sig=1"):
        body = f'{{"error": {{"message": "{said}"}}}}'.encode()

        why = failure_of(401, body, "", "sk-abcdWXYZ").why

        assert "WXYZ" not in why
        assert "://" not in why


def test_retry_after_is_seconds_or_a_date():
    at = format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True)

    assert failure_of(429, b"", "7", "").wait_seconds == 7
    assert 50 < failure_of(429, b"", at, "").wait_seconds <= 60
    assert failure_of(429, b"", "soon", "").wait_seconds is None
    assert failure_of(429, b"", "", "").wait_seconds is None


def listed(*words):
    return [TimedText(word, i * 100, i * 100 + 80) for i, word in enumerate(words)]


def test_marks_of_the_text_return_to_the_words():
    found = marked("Hello, it's me: Anna.", listed("hello", "it's", "me", "anna"))

    assert [word.text.strip() for word in found] == ["Hello,", "it's", "me:", "Anna."]
    assert [word.start_ms for word in found] == [0, 100, 200, 300]


def test_a_word_without_a_partner_lies_between_its_neighbours():
    found = marked("one two 3 four five", listed("one", "two", "three", "four", "five"))

    assert [word.start_ms for word in found] == [0, 100, 180, 300, 400]


def test_words_of_another_text_are_kept_as_they_are():
    words = listed("alpha", "beta")

    assert marked("something else", words) == words


def test_fields_follow_the_api():
    options = JobOptions(model="x", language="pt", hotwords="Anna Karenina, Levin")

    whisper = form_of(preset_of(OPENAI, "whisper-1"), options)
    text = form_of(preset_of(OPENAI, "gpt-transcribe"), options)
    voxtral = form_of(preset_of(MISTRAL, "voxtral-mini-latest"), options)

    assert ("language", "pt") in whisper
    assert ("response_format", "verbose_json") in whisper
    assert ("prompt", "Anna Karenina, Levin") in whisper
    assert ("languages[]", "pt") in text
    assert ("keywords[]", "Anna Karenina") in text
    assert ("response_format", "json") in text
    assert ("context_bias[]", "Anna_Karenina") in voxtral
    assert "response_format" not in dict(voxtral)
