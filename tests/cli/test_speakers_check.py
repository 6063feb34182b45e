"""What a doctor says about a backend for the speakers alone."""

import pytest

from cli.checks.speakers_check import speakers
from escriba.settings import load_settings
from tests.fake_pyannote_ai import FakePyannoteAi, Fault

KEY = "pyannote-SECRET"


@pytest.fixture
def service():
    with FakePyannoteAi(KEY) as service:
        yield service


def found(**settings):
    return {(one.what, one.state): one for one in speakers(load_settings(**settings))}


def test_nothing_is_asked_where_nothing_is_set():
    assert found() == {}


def test_a_service_that_is_set_up_is_well(service):
    named = service.settings | {"speakers_backend": "pyannote_ai", "pyannote_ai_poll_seconds": 10}

    told = found(**named)

    assert set(told) == {("speakers", "well"), ("pyannoteAI", "well")}
    assert service.requests == {"test": 1}


def test_a_refused_key_is_named_without_itself(service):
    named = service.settings | {"pyannote_ai_api_key": "other-SECRET"}

    told = found(**named)["pyannoteAI", "broken"]

    assert "PYANNOTE_AI_API_KEY" in told.found
    assert "SECRET" not in told.found + told.advice


def test_a_service_that_does_not_answer_is_broken(service):
    service.faults["test"].append(Fault(503))

    assert "answers 503" in found(**service.settings)["pyannoteAI", "broken"].found


def test_a_key_that_gets_no_jobs_and_too_many_looks_are_odd(service):
    told = [one.found for one in speakers(load_settings(**service.settings)) if one.state == "odd"]

    assert any("gets no jobs" in one for one in told)
    assert any("300" in one for one in told)


def test_a_model_without_a_price_is_broken(service):
    named = service.settings | {"pyannote_ai_model": "precision-9"}

    assert "precision-9" in found(**named)["pyannoteAI", "broken"].found


def test_a_backend_that_is_not_set_up_says_what_it_needs():
    told = found(speakers_backend="pyannote_ai")["speakers", "broken"]

    assert "PYANNOTE_AI_API_KEY" in told.found


def test_this_machine_finds_speakers_by_default():
    assert found(speakers_backend="local")["speakers", "well"].found.endswith(
        "local if it is healthy"
    )
