"""Values that no setting may have are refused by name, and never shown."""

import os
import subprocess
import sys

import pytest

from escriba.settings import HOUSE, Settings, SettingsError, load_settings
from escriba.settings.secret_files import is_secret

PLAIN = [name for name, field in Settings.model_fields.items() if not is_secret(field)]
SECRETS = [name for name, field in Settings.model_fields.items() if is_secret(field)]
KEYS = {
    "an API key of OpenAI": "sk-proj-Ab3defGhij7klmnOpqrstuvWx",
    "an API key of RunPod": "rpa_Ab3defGhij7klmnOpqrstuvWxAb3defGhij7klmn",
    "a token of the hub": "hf_Ab3defGhij7klmnOpqrstuvWxYzAb3defG",
    "an access key of AWS": "AKIAIOSFODNN7EXAMPLE",
    "a signed URL": "https://a.blob.core.windows.net/c?sv=2023&sig=Ab3defGhij7kl",
    "a URL with a password": "https://user:Ab3defGhij7kl@host/path",
    "credentials as JSON": '{"type": "service_account", "private_key": "Ab3defGhij7kl"}',
    "a private key": "-----BEGIN RSA PRIVATE KEY-----Ab3defGhij7kl",
}
PROSE = {"hotwords", "initial_prompt"}  # their line breaks become spaces
BREAKS = ("one\ntwo", "one\r\ntwo", "one\x00two", "one\x1b[31mtwo", "one\u2028two", "on\udcffe")


def refusal(**given):
    with pytest.raises(SettingsError) as caught:
        load_settings(**given)
    return str(caught.value)


def given_name(name):
    alias = Settings.model_fields[name].validation_alias
    return str(getattr(alias, "choices", [name])[0])


@pytest.mark.parametrize("kind", KEYS)
def test_a_secret_in_a_setting_that_is_none_is_refused_and_not_shown(kind):
    names = [given_name(name) for name in PLAIN]

    told = refusal(**dict.fromkeys(names, KEYS[kind]))

    assert [name for name in names if f"{name.upper()}: " not in told] == []
    assert "Ab3def" not in told
    assert "AKIA" not in told


@pytest.mark.parametrize("value", BREAKS, ids=ascii)
def test_line_breaks_control_characters_and_what_is_no_text_are_refused_by_name(value):
    is_blank = value.split() == ["one", "two"]
    names = [given_name(name) for name in (*PLAIN, *SECRETS) if not (is_blank and name in PROSE)]

    told = refusal(**dict.fromkeys(names, value))

    assert [name for name in names if f"{name.upper()}: " not in told] == []
    assert told.isprintable()
    assert "two" not in told


def test_the_environment_and_the_file_are_read_alike(tmp_path, monkeypatch):
    (tmp_path / ".env").write_text('AWS_REGION="one\\ntwo"\n')
    with pytest.raises(SettingsError, match="AWS_REGION: its value has a line break"):
        load_settings()

    monkeypatch.setenv("AWS_REGION", "fine")
    monkeypatch.setenv("HOTWORDS", "on\udcffe")
    with pytest.raises(SettingsError, match="HOTWORDS: its value is not UTF-8"):
        load_settings()


def test_bytes_that_are_no_text_end_a_command_in_one_sentence(tmp_path):
    environment = {os.fsencode(k): os.fsencode(v) for k, v in os.environ.items()}
    done = subprocess.run(
        [sys.executable, "-m", "cli", "status"],
        env=environment | {b"STORAGE_URL": b"file:///\xff\n", b"PYTHONPATH": bytes(HOUSE)},
        capture_output=True,
        cwd=tmp_path,
        check=False,
    )

    assert done.returncode == 2
    assert done.stderr.startswith(b"escriba: Invalid settings. STORAGE_URL: ")
    assert done.stderr.count(b"\n") == 1


@pytest.mark.parametrize(
    ("name", "value", "advice"),
    [
        ("storage_url", "s3://AKIA:Ab3defGhij7kl@bucket", "set AWS_ACCESS_KEY_ID"),
        ("storage_url", "az://container?sv=1&sig=Ab3defGhij7kl", "set AZURE_STORAGE_ACCOUNT"),
        ("google_application_credentials", '{\n"type": "Ab3def"}', "the path of that file"),
        ("google_application_credentials", "eyJAb3defGhij7kl", "the path of that file"),
    ],
)
def test_the_advice_says_where_the_secret_belongs(name, value, advice):
    told = refusal(**{name: value})

    assert name.upper() in told
    assert advice in told
    assert "Ab3def" not in told


def test_ordinary_values_are_taken():
    settings = load_settings(
        hotwords="Müller, São Paulo, sk-learn, token, Łódź",
        initial_prompt="Ein Gespräch über „Kafka“ … (2019–2024)",
        storage_url="s3://sk-archive/2024-01-02/interviews",
        model="large-v3-turbo",
        openai_base_url="http://localhost:8000/v1",
        files_url="https://files.example.com/escriba/",
    )

    assert settings.hotwords.startswith("Müller")
    lines = load_settings(hotwords="Ana\r\nJosé\tLia", initial_prompt="One.\u2028Two.")
    assert (lines.hotwords, lines.initial_prompt) == ("Ana José Lia", "One. Two.")


def test_every_secret_is_secret_by_type():
    words = ("key", "token", "password", "secret", "postgres_url")
    named = {n for n in Settings.model_fields if n.endswith(words)}

    assert named <= set(SECRETS)
