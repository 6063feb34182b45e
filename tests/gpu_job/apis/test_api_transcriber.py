"""A recording by an API on loopback: cut below its limits, stitched with the right times."""

import itertools
import json
from dataclasses import replace

import numpy as np
import pytest

from gpu_job.apis.api_transcriber import ApiTranscriber
from gpu_job.common.errors import JobFailedError
from gpu_job.common.purchases import Purchases
from gpu_job.common.settings import WorkerSettings
from gpu_job.contract import JobOptions, SpeechRegion
from gpu_job.transcribe.progress import TranscriptionProgress
from tests.fake_openai import (
    BROKEN,
    GERMAN,
    RESET,
    SILENT,
    TRUNCATED,
    WORDS,
    FakeOpenAI,
    Fault,
    busy,
    tones,
)

TOLERANCE_MS = 60


def engine(api, **environment):
    settings = WorkerSettings.from_environment(api.environment | environment)
    made = ApiTranscriber.load(settings)
    made._client.sleep = lambda _: None
    return made


def regions_of(placed, channel=0, pause_ms=700):
    """Speech regions as a detector finds them: words with short pauses are one region."""
    found = []
    for _, start_ms, end_ms in placed:
        if found and start_ms - found[-1][1] < pause_ms:
            found[-1][1] = end_ms
        else:
            found.append([start_ms, end_ms])
    return tuple(SpeechRegion(start_ms=a, end_ms=b, channel=channel) for a, b in found)


def transcribed(made, samples, regions, progress=lambda _: None, **options):
    speech = TranscriptionProgress()
    made.transcribe(samples, regions, JobOptions(model="x", **options), speech, progress)
    return speech


def words_of(speech):
    return [word for segment in speech.segments for word in segment.words]


def assert_as_placed(speech, placed, tolerance_ms=TOLERANCE_MS):
    words = words_of(speech)
    assert [word.text.strip(".").lower() for word in words] == [word for word, _, _ in placed]
    late = [abs(w.start_ms - start) for w, (_, start, _) in zip(words, placed, strict=True)]
    assert max(late) <= tolerance_ms


@pytest.fixture
def api():
    with FakeOpenAI() as server:
        yield server


@pytest.fixture
def said():
    samples, placed = tones(range(60))
    return samples, regions_of(placed), placed


def test_words_come_back_at_their_times(api, said):
    samples, regions, placed = said
    told = []

    speech = transcribed(engine(api), samples, regions, told.append, language="en")

    assert_as_placed(speech, placed)
    assert (speech.language, speech.word_times) == ("en", "")
    assert told == sorted(told)
    assert told[-1] == sum(region.end_ms - region.start_ms for region in regions)
    assert api.requests[0].fields["language"] == ["en"]


def test_two_hours_are_cut_in_pauses_and_stitched_with_right_times(api):
    numbers = np.random.default_rng(17).integers(0, len(WORDS), 9_000)
    samples, placed = tones(numbers)
    assert samples.shape[1] / 16_000 > 2 * 3600
    api.max_seconds = 300.0

    speech = transcribed(
        engine(api, OPENAI_MAX_SECONDS="300"), samples, regions_of(placed), language="en"
    )

    assert api.refused == []
    assert len(api.requests) > 20
    assert set(api.billed.values()) == {1}
    assert_as_placed(speech, placed)


def test_long_pauses_are_not_sent(api):
    samples, placed = tones(range(24), rest_ms=20_000)

    transcribed(engine(api), samples, regions_of(placed))

    assert api.billed_seconds < 25 < samples.shape[1] / 16_000


def test_what_is_bought_is_what_the_api_bills(api, said):
    """A broken answer costs nothing, a lost one may, and is sent again; one request is too long."""
    api.max_seconds, told = 30.0, []
    api.faults.extend([BROKEN, TRUNCATED, busy(), RESET])
    samples, regions, _ = said
    speech = TranscriptionProgress(purchases=Purchases(tell=told.append))

    engine(api).transcribe(samples, regions, JobOptions(model="x"), speech, lambda _: None)

    assert api.refused
    assert api.billed.total() == len(api.billed) + 2
    assert speech.purchases.bought_ms == round(api.billed_seconds * 1000)
    assert told[-1] == speech.purchases.bought_ms


def test_a_request_is_told_before_it_is_sent(api, said):
    told, before = [], []
    api.arrived = lambda heard: before.append((told[-1], heard.seconds))
    speech = TranscriptionProgress(purchases=Purchases(tell=told.append))
    made = engine(api, OPENAI_MAX_SECONDS="10")

    made.transcribe(*said[:2], JobOptions(model="x"), speech, lambda _: None)

    sent = [round(seconds * 1000) for _, seconds in before]
    assert [bought for bought, _ in before] == list(itertools.accumulate(sent))
    assert len(sent) > 2


def test_each_request_has_the_minimum_that_the_api_bills(api, said):
    """Of Groq's presets, with pieces of five seconds: ten for each."""
    made = engine(api, OPENAI_MAX_SECONDS="5")
    made._preset = replace(made._preset, minimum_seconds=10.0)
    api.minimum_seconds = 10.0

    speech = transcribed(made, *said[:2])

    assert speech.purchases.bought_ms == 10_000 * len(api.requests)
    assert speech.purchases.bought_ms == round(api.billed_seconds * 1000)


def test_a_limit_in_bytes_makes_smaller_pieces(api):
    noise = np.random.default_rng(1).normal(0, 9_000, (1, 60 * 16_000)).astype(np.int16)
    api.max_bytes = 400_000
    whole = (SpeechRegion(start_ms=0, end_ms=60_000),)

    transcribed(engine(api, OPENAI_MAX_BYTES="400000"), noise, whole)

    assert (api.refused, len(api.requests) > 4) == ([], True)


def test_a_piece_that_is_refused_as_too_long_is_cut_once(api, said):
    samples, regions, placed = said
    api.max_seconds = 30.0

    speech = transcribed(engine(api), samples, regions)

    assert_as_placed(speech, placed)
    assert len(api.refused) == 1
    assert set(api.billed.values()) == {1}


def test_a_half_that_is_refused_too_is_an_error_that_names_the_setting(api, said):
    api.max_seconds = 5.0

    with pytest.raises(JobFailedError, match="OPENAI_MAX_SECONDS"):
        transcribed(engine(api), *said[:2])

    assert (len(api.refused), api.billed.total()) == (2, 0)


def test_marks_come_from_the_text_where_the_words_have_none(api, said):
    api.bare = True

    speech = transcribed(engine(api), *said[:2])

    words = words_of(speech)
    assert (words[0].text, words[-1].text[-1]) == (WORDS[0].capitalize(), ".")
    assert not any(word.joins for word in words)
    assert_as_placed(speech, said[2])


@pytest.mark.parametrize("times", ["segment", "none"])
def test_without_word_times_they_are_estimated_within_the_speech(api, said, times):
    api.times = times
    samples, regions, placed = said

    speech = transcribed(engine(api, OPENAI_TIMES=times), samples, regions)

    assert speech.word_times == "estimated"
    assert [w.code for w in speech.warnings if "estimated" in w.message] == ["word_times_estimated"]
    assert_as_placed(speech, placed, tolerance_ms=2_500)
    starts = [word.start_ms for word in words_of(speech)]
    assert starts == sorted(starts)


def test_text_alone_is_asked_for_in_pieces_of_half_a_minute(api, said):
    api.times = "none"

    transcribed(engine(api, OPENAI_TIMES="none"), *said[:2])

    assert max(request.seconds for request in api.requests) <= 30


@pytest.mark.parametrize("fault", [busy(), busy(2), busy(0, status=503), BROKEN])
def test_it_waits_and_asks_again_where_nothing_was_billed(api, said, fault):
    api.faults.extend([fault] * 3)

    speech = transcribed(engine(api), *said[:2])

    assert_as_placed(speech, said[2])
    assert set(api.billed.values()) == {1}


def test_retry_after_is_obeyed(api, said):
    slept, made = [], engine(api)
    made._client.sleep = slept.append
    api.faults.append(busy(7))

    transcribed(made, *said[:2])

    assert 7 <= sum(slept) <= 9


def test_a_stop_does_not_wait_for_the_api(api, said):
    class StopNowError(Exception):
        pass

    made, slept = engine(api), []
    made._client.sleep = slept.append
    api.faults.append(busy(200))

    def progress(_ms):
        if slept:
            raise StopNowError

    with pytest.raises(StopNowError):
        transcribed(made, *said[:2], progress)

    assert sum(slept) <= 1


@pytest.mark.parametrize("fault", [TRUNCATED, RESET])
def test_a_lost_answer_is_bought_again_and_the_result_says_so(api, said, fault):
    api.faults.append(fault)

    speech = transcribed(engine(api), *said[:2])

    assert_as_placed(speech, said[2])
    assert [warning.code for warning in speech.warnings] == ["sent_again"]
    first, second = api.requests[:2]
    assert first.idempotency_key == second.idempotency_key != ""


def test_answers_that_stay_lost_are_not_bought_for_ever(api, said):
    api.faults.extend([TRUNCATED] * 20)

    with pytest.raises(JobFailedError, match="not readable"):
        transcribed(engine(api), *said[:2])

    assert api.billed.total() == 3


def test_a_refused_key_is_no_fault_of_the_recording_and_is_not_repeated(api, said):
    with pytest.raises(JobFailedError, match="OPENAI_API_KEY") as caught:
        transcribed(engine(api, OPENAI_API_KEY="sk-wrong-WRONG"), *said[:2])

    assert caught.value.error.code == "api_refused"
    assert "WRONG" not in str(caught.value)
    assert len(api.refused) == 1


def test_an_account_without_credit_is_refused_at_once(api, said):
    api.faults.append(busy(message="You exceeded your current quota, insufficient_quota"))

    with pytest.raises(JobFailedError, match="credit") as caught:
        transcribed(engine(api), *said[:2])

    assert (caught.value.error.code, len(api.requests)) == ("api_refused", 1)


def test_an_unknown_model_names_the_settings(api, said):
    with pytest.raises(JobFailedError, match="OPENAI_MODEL"):
        transcribed(engine(api, OPENAI_MODEL="whisper-9"), *said[:2])


def test_a_wrong_language_is_a_warning(api, said):
    api.faults.append(GERMAN)

    speech = transcribed(engine(api), *said[:2], language="en")

    assert [warning.code for warning in speech.warnings] == ["language_differs"]
    assert speech.language == "en"


def test_the_language_is_that_of_most_of_the_speech(api, said):
    api.faults.extend([GERMAN] * 2)

    speech = transcribed(engine(api, OPENAI_MAX_SECONDS="10"), *said[:2])

    assert speech.language == "en"
    assert [warning.code for warning in speech.warnings] == ["languages_several"]


def test_an_empty_text_is_no_word(api, said):
    api.faults.append(SILENT)

    assert words_of(transcribed(engine(api), *said[:2])) == []


def test_nothing_is_sent_where_nobody_speaks(api):
    speech = transcribed(engine(api), np.zeros((1, 16_000), np.int16), ())

    assert (speech.segments, api.requests) == ([], [])


def test_a_segment_of_silence_is_removed_and_kept_as_evidence(api, said):
    body = {"text": "Thanks for watching.", "language": "english"}
    body["words"] = [{"word": " Thanks", "start": 1.0, "end": 1.2}]
    body["segments"] = [{"text": "Thanks", "start": 0, "end": 2, "no_speech_prob": 0.9}]
    body["segments"][0]["avg_logprob"] = -1.5

    api.faults.append(Fault(status=200, body=json.dumps(body).encode()))

    speech = transcribed(engine(api), *said[:2])

    assert words_of(speech) == []
    (removed,) = speech.warnings
    assert (removed.code, removed.text) == ("no_speech", "Thanks")


def test_each_channel_is_sent_apart(api):
    samples, placed = tones(range(8))
    both = np.concatenate([samples, samples[:, ::-1]])
    regions = (
        *regions_of(placed),
        SpeechRegion(start_ms=0, end_ms=samples.shape[1] // 16, channel=1),
    )

    speech = transcribed(engine(api), both, regions, channels="separate")

    assert {word.channel for word in words_of(speech)} == {0, 1}
    assert len(api.requests) == 2


def test_a_translation_goes_to_the_translations(api, said):
    transcribed(engine(api), *said[:2], task="translate", language="de")

    assert api.requests[0].path == "/v1/audio/translations"
    assert "language" not in api.requests[0].fields


def test_a_cough_is_long_enough_for_an_api(api):
    sound = np.full((1, 640), 5_000, np.int16)

    transcribed(engine(api), sound, (SpeechRegion(start_ms=0, end_ms=40),))

    assert (api.refused, [request.seconds for request in api.requests]) == ([], [1.0])


def test_what_an_earlier_attempt_warned_of_is_not_said_twice(api, said):
    samples, regions, _ = said
    made = engine(api, OPENAI_TIMES="none")
    api.times = "none"
    speech = transcribed(made, samples, regions)

    made.transcribe(samples, regions, JobOptions(model="x"), speech, lambda _: None)

    codes = [warning.code for warning in speech.warnings]
    assert sorted(codes) == ["language_unknown", "word_times_estimated"]
