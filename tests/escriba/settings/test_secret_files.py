"""A secret may come from a file: NAME_FILE names it, as engines of containers mount secrets."""

import os

import pytest

from escriba.known_secrets import masked
from escriba.settings import Settings, SettingsError, load_settings, setting_names
from escriba.settings.secret_files import file_variable, is_secret

FORMS = {"alert_channels": "team=https://alerts.example/{}"}  # of those that are more than a secret
SECRETS = [name for name, field in Settings.model_fields.items() if is_secret(field)]


@pytest.fixture
def written(tmp_path):
    def write(content):
        path = tmp_path / "secret"
        path.write_bytes(content)
        return str(path)

    return write


@pytest.mark.parametrize("name", SECRETS)
def test_every_secret_can_come_from_a_file(name, written, monkeypatch):
    secret = FORMS.get(name, "{}").format("s3cret-of-some-length")
    monkeypatch.setenv(file_variable(name), written(f"{secret}\n".encode()))

    settings = load_settings()

    assert getattr(settings, name).get_secret_value() == secret
    assert "s3cret" not in repr(settings)


def test_a_secret_from_a_file_is_masked_in_messages(written, monkeypatch):
    monkeypatch.setenv("RUNPOD_API_KEY_FILE", written(b"rpa_key-that-was-in-a-file"))
    load_settings()

    assert "rpa_key" not in masked("401 for rpa_key-that-was-in-a-file")


def test_a_variable_wins_over_its_file_and_the_environment_over_env(tmp_path, written, monkeypatch):
    path = written(b"from-the-file")
    (tmp_path / ".env").write_text("RUNPOD_API_KEY=from-env\nOPENAI_API_KEY_FILE=" + path)
    monkeypatch.setenv("RUNPOD_API_KEY_FILE", path)
    monkeypatch.setenv("HUGGINGFACE_TOKEN_FILE", path)
    monkeypatch.setenv("HUGGINGFACE_TOKEN", "from-the-variable")

    settings = load_settings()

    assert settings.runpod_api_key.get_secret_value() == "from-the-file"
    assert settings.openai_api_key.get_secret_value() == "from-the-file"
    assert settings.huggingface_token.get_secret_value() == "from-the-variable"


def test_an_empty_file_sets_nothing(written, monkeypatch):
    monkeypatch.setenv("UI_PASSWORD_FILE", written(b"\n"))

    assert not load_settings().ui_password.get_secret_value()


def test_a_missing_file_is_named_with_its_variable(tmp_path, monkeypatch):
    monkeypatch.setenv("RUNPOD_API_KEY_FILE", str(tmp_path / "none"))

    with pytest.raises(SettingsError, match=r"RUNPOD_API_KEY_FILE: cannot read .*No such file"):
        load_settings()


@pytest.mark.parametrize("path", ["~nobody-of-this-name/key", "k\0y"])
def test_a_path_that_is_none_is_named_with_its_variable(tmp_path, path):
    (tmp_path / ".env").write_text(f"RUNPOD_API_KEY_FILE={path}\n")

    with pytest.raises(SettingsError, match=r"RUNPOD_API_KEY_FILE: cannot read"):
        load_settings()


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir])
def test_what_is_no_file_is_refused_and_never_waited_for(tmp_path, make, monkeypatch):
    make(tmp_path / "secret")
    monkeypatch.setenv("RUNPOD_API_KEY_FILE", str(tmp_path / "secret"))

    with pytest.raises(SettingsError, match=r"RUNPOD_API_KEY_FILE: .* is not a regular file"):
        load_settings()


@pytest.mark.parametrize(
    ("content", "reason"), [(b"\xff\xfe", "not UTF-8"), (b"k" * 70_000, "larger than a secret")]
)
def test_a_file_that_holds_no_secret_is_refused(content, reason, written, monkeypatch):
    monkeypatch.setenv("SMTP_PASSWORD_FILE", written(content))

    with pytest.raises(SettingsError, match=f"SMTP_PASSWORD_FILE: .*{reason}"):
        load_settings()


def test_a_wrong_secret_in_a_file_is_refused_and_not_shown(written, monkeypatch):
    monkeypatch.setenv("UI_PASSWORD_FILE", written(b"sh0rt"))

    with pytest.raises(SettingsError, match="UI_PASSWORD") as caught:
        load_settings()
    assert "sh0rt" not in str(caught.value)


def test_doctor_knows_these_names():
    assert {file_variable(name) for name in SECRETS} <= setting_names()
    assert "STORAGE_URL_FILE" not in setting_names()
