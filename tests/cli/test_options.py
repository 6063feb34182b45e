"""Wishes of the settings, of tenants.yaml, of a recording: judged before money is spent."""

import pytest
from click.testing import CliRunner
from faster_whisper.tokenizer import _LANGUAGE_CODES

from assets.options import OPTIONS_FILE, Wishes, options_of, tenant_wishes
from pipelines.cli.add import command as add
from pipelines.languages import LANGUAGE_CODES
from pipelines.recordings import from_inbox_key
from pipelines.settings import SettingsError, load_settings
from resources.failures import RecordingError
from resources.storage import open_storage


@pytest.fixture
def told(tmp_path):
    """What is said of a tenants.yaml."""

    def tell(text):
        path = tmp_path / "tenants.yaml"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        tenant_wishes.cache_clear()
        with pytest.raises(SettingsError) as caught:
            tenant_wishes(path)
        return str(caught.value)

    return tell


def test_the_languages_are_those_of_the_tokenizer():
    assert set(LANGUAGE_CODES) == set(_LANGUAGE_CODES)
    assert len(LANGUAGE_CODES) == len(_LANGUAGE_CODES)


def test_good_wishes_are_read_and_no_file_wishes_nothing(tmp_path):
    path = tmp_path / "tenants.yaml"
    assert tenant_wishes(tmp_path / "none.yaml") == {}
    path.write_text("tenants:\n  acme: {language: auto}\n  '2024': {diarize: false}\n  x:\n")
    assert tenant_wishes(path) == {
        "acme": Wishes(language="auto"),
        "2024": Wishes(diarize=False),
        "x": Wishes(),
    }


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("acme: {language: pt}", ["'acme'", "'tenants'"]),
        ("- acme", ["must be a mapping"]),
        ("tenants: [acme]", ["'tenants'", "must be a mapping"]),
        ("tenants: {acme: [pt]}", ["'acme'", "must be a mapping"]),
        ("tenants: {Acme: {language: pt}}", ["'Acme'", "not allowed"]),
        ("tenants: {../x: {language: pt}}", ["'../x'", "not allowed"]),
        ("tenants: {2024: {language: pt}}", ["2024", "put the name in quotes"]),
        ("tenants: {acme: {langage: pt}}", ["'acme'", "'langage'", "language, detect, hotwords"]),
        ("tenants: {acme: {language: no}}", ["'acme'", "'language'", "in quotes"]),
        ("tenants: {acme: {language: pt-BR}}", ["'acme'", "'language'", "did you mean 'pt'?"]),
        ("tenants: {acme: {channels: both}}", ["'acme'", "'channels'", "'mixed' or 'separate'"]),
        ("tenants: {acme: {track: second}}", ["'acme'", "'track'", "or a number from 1"]),
        ("tenants: {acme: {speakers: 2}}", ["'acme'", "'speakers'", "must be a mapping"]),
        ("tenants: {acme: {language: pt}", ["not valid YAML", "line 1"]),
        ("tenants: {2024-13-45: {language: pt}}", ["not valid YAML"]),
        ("tenants: {josé: {}}".encode("latin-1"), ["not UTF-8"]),
    ],
)
def test_a_wrong_tenants_file_is_told_in_one_plain_sentence(told, text, parts):
    message = told(text)

    assert message.startswith("tenants.yaml")
    assert all(part in message for part in parts), message
    assert len(message.splitlines()) == 1
    assert not any(
        noise in message for noise in ("http", "pydantic", "Wishes", "Error", "instance")
    )


def test_a_tenants_file_that_cannot_be_read_is_said_so(tmp_path):
    with pytest.raises(SettingsError, match="cannot be read: Is a directory"):
        tenant_wishes(tmp_path)


@pytest.mark.parametrize(
    ("code", "close"),
    [("xyz", ""), ("PT", "'pt'"), ("en_US", "'en'"), ("Auto", "'auto'"), ("yu", "'yue'"), ("", "")],
)
def test_a_language_that_nobody_knows_is_refused_with_what_is_close(code, close):
    with pytest.raises(SettingsError) as caught:
        load_settings(default_language=code)

    assert f"DEFAULT_LANGUAGE: {code!r} is no language" in str(caught.value)
    assert close in str(caught.value)
    assert ("did you mean" in str(caught.value)) == bool(close)


@pytest.mark.parametrize("code", ["auto", *LANGUAGE_CODES])
def test_every_language_of_whisper_may_be_the_default(code):
    assert load_settings(default_language=code).default_language == code


def test_add_refuses_an_unknown_language_before_it_copies_anything(tmp_path):
    (tmp_path / "a.mp3").write_bytes(b"sound")

    done = CliRunner().invoke(add, ["a.mp3", "--language", "pt-PT"])

    assert done.exit_code == 2
    assert "--language: 'pt-PT' is no language" in done.output
    assert "did you mean 'pt'?" in done.output
    assert not (tmp_path / "data").exists()


def test_a_recordings_own_unknown_language_is_refused_before_a_job(tmp_path):
    settings = load_settings(storage_url=(tmp_path / "bucket").as_uri())
    storage, recording = open_storage(settings), from_inbox_key("inbox/acme/a.mp3")
    storage.write(recording.work_key(OPTIONS_FILE), b'{"language": "english"}')

    with pytest.raises(RecordingError, match="'language': 'english' is no language"):
        options_of(recording, settings, storage)


def test_a_track_is_wished_by_setting_tenant_or_recording_and_the_default_is_no_wish(tmp_path):
    settings = load_settings(storage_url=(tmp_path / "bucket").as_uri())
    storage, recording = open_storage(settings), from_inbox_key("inbox/acme/a.mkv")
    wished = [options_of(recording, settings, storage)]
    wished.append(options_of(recording, settings.model_copy(update={"track": "all"}), storage))
    storage.write(recording.work_key(OPTIONS_FILE), b'{"track": 2}')
    wished.append(options_of(recording, settings, storage))

    assert [options.track for options in wished] == ["auto", "all", "2"]
    assert [options.job.track for options in wished] == ["", "all", "2"]


def test_add_refuses_what_is_no_track(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.mkv").write_bytes(b"x")

    done = CliRunner().invoke(add, ["a.mkv", "--track", "second"])

    assert done.exit_code == 2
    assert "'second' is no track: give 'auto', 'all', or a number from 1" in done.output


@pytest.mark.parametrize("amount", ["abc", "12,50", "-1", "inf", "50 USD"])
@pytest.mark.parametrize("name", ["DAILY_COST_THRESHOLD", "MONTHLY_COST_THRESHOLD"])
def test_what_is_no_amount_is_told_with_its_setting_and_what_would_be_one(
    name, amount, monkeypatch
):
    monkeypatch.setenv(name, amount)

    with pytest.raises(SettingsError) as caught:
        load_settings()

    assert f"{name}: {amount!r} is no amount of USD such as 12.50; none: no limit" in str(
        caught.value
    )
