"""Keys that go into HTTP headers, as they are copied from web pages and files."""

import pytest

from escriba.settings import SettingsError, load_settings

KEYS = (
    "aws_access_key_id",
    "aws_session_token",
    "google_api_key",
    "huggingface_token",
    "openai_api_key",
    "pyannote_ai_api_key",
    "runpod_api_key",
)


@pytest.mark.parametrize("name", KEYS)
@pytest.mark.parametrize("copied", ["sk-abc…wxyz", "sk-abc\nwxyz", "sk-abc wxyz", "sk-ábc"])
def test_a_key_that_no_header_can_hold_is_refused_by_name_and_not_shown(name, copied):
    with pytest.raises(SettingsError) as caught:
        load_settings(**{name: copied})

    assert name.upper() in str(caught.value)
    assert "copy the whole key again" in str(caught.value)
    assert "sk-" not in str(caught.value)


@pytest.mark.parametrize("name", KEYS)
def test_blanks_around_a_key_are_dropped(name):
    found = getattr(load_settings(**{name: " sk-abc\n"}), name)

    assert found.get_secret_value() == "sk-abc"
