"""What is known of APIs."""

from datetime import date

import pytest

from gpu_job.contract.api_presets import (
    API_MODELS,
    OWN_SERVER,
    PRESETS,
    is_own_address,
    preset_of,
)

OPENAI, GROQ = "https://api.openai.com/v1", "https://api.groq.com/openai/v1"


def test_openai_ends_its_older_models_in_february():
    ends = {preset.model: preset.ends_on for preset in PRESETS if preset.ends_on}

    assert set(ends) == {"whisper-1", "gpt-4o-transcribe", "gpt-4o-mini-transcribe"}
    assert set(ends.values()) == {date(2027, 2, 26)}


def test_a_groq_model_is_a_whisper_and_openais_are_their_own():
    assert "large-v3-turbo" in preset_of(GROQ, "whisper-large-v3-turbo").takes
    assert preset_of(OPENAI, "whisper-1").takes == {"whisper-1"}
    assert "whisper-1" in API_MODELS
    assert "whisper-large-v3-turbo" not in API_MODELS


@pytest.mark.parametrize(
    ("url", "own"),
    [
        ("http://localhost:8000/v1", True),
        ("http://127.0.0.1:8000", True),
        ("http://10.1.2.3/v1", True),
        ("http://[::1]:8000/v1", True),
        ("http://speaches:8000/v1", True),
        ("http://gpu.local/v1", True),
        ("https://api.openai.com/v1", False),
        ("https://8.8.8.8/v1", False),
        ("", False),
    ],
)
def test_a_private_address_is_ones_own(url, own):
    assert is_own_address(url) is own


def test_an_own_server_has_any_model_and_is_not_billed_by_the_table():
    preset = preset_of("http://localhost:8000/v1", "Systran/faster-whisper-small")

    assert (preset.sku, preset.times, preset.is_own) == (OWN_SERVER, "word", True)
    assert preset_of("http://localhost/v1", "whisper-1", own="no").sku == "localhost/whisper-1"
    assert preset_of(OPENAI, "whisper-1", own="yes").ends_on is None


def test_an_unknown_api_is_treated_with_care():
    preset = preset_of("https://api.example.org/v1", "scribe")

    assert (preset.times, preset.detects_language, preset.sku) == (
        *("none", False),
        "api.example.org/scribe",
    )


def test_settings_go_before_the_table():
    preset = preset_of(OPENAI, "whisper-1", times="none", max_bytes=5, max_seconds=20)

    assert (preset.times, preset.max_bytes, preset.piece_seconds) == ("none", 5, 20)


def test_text_alone_comes_in_pieces_that_can_be_aligned():
    assert preset_of(OPENAI, "gpt-transcribe").piece_seconds == 30
    assert preset_of(OPENAI, "whisper-1").piece_seconds == 600
