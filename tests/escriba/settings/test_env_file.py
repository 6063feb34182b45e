"""Where settings come from: the environment first, then .env in the current folder."""

import pytest

from escriba.settings import NightSettings, Settings, load_night_settings, load_settings
from escriba.settings.base import SettingsGroup

GROUPS = [kind for kind in Settings.__mro__ if issubclass(kind, SettingsGroup)]


@pytest.mark.parametrize("kind", GROUPS, ids=lambda kind: kind.__name__)
def test_every_group_reads_the_file_and_ignores_empty_and_unknown_names(kind):
    shared = SettingsGroup.model_config
    names = ("env_file", "env_ignore_empty", "extra", "frozen")

    assert {name: kind.model_config[name] for name in names} == {
        name: shared[name] for name in names
    }


def test_settings_of_every_group_come_from_the_file(tmp_path):
    (tmp_path / ".env").write_text(
        "DEFAULT_LANGUAGE=es\nSUBTITLE_LINES=3\nSTORAGE_URL=s3://archive\nNIGHTLY_AT=03:30\n"
    )

    settings = load_settings()

    assert (settings.default_language, settings.subtitle_lines) == ("es", 3)
    assert (settings.bucket_url, settings.nightly_at) == ("s3://archive", "03:30")
    assert load_night_settings() == NightSettings(nightly_at="03:30")


def test_the_environment_wins_over_the_file(tmp_path, monkeypatch):
    (tmp_path / ".env").write_text("DEFAULT_LANGUAGE=es\n")
    monkeypatch.setenv("DEFAULT_LANGUAGE", "en")

    assert load_settings().default_language == "en"


def test_an_empty_variable_is_not_set(tmp_path, monkeypatch):
    (tmp_path / ".env").write_text("BEAM_SIZE=\nPRICE_BOOK=\n")
    monkeypatch.setenv("SUBTITLE_LINES", "")

    settings = load_settings()

    assert (settings.beam_size, settings.subtitle_lines) == (2, 2)
    assert settings.price_book.name == "price_book.csv"


def test_names_in_the_file_that_are_no_settings_are_ignored(tmp_path):
    (tmp_path / ".env").write_text("SOMETHING_ELSE=1\n")

    assert load_settings() == Settings()
