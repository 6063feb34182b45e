"""Wishes of the settings, of tenants.yaml, of a recording: judged before money is spent."""

import pytest
from click.testing import CliRunner
from faster_whisper.tokenizer import _LANGUAGE_CODES

from cli.commands.add import command as add
from escriba.errors import RecordingError
from escriba.languages import LANGUAGE_CODES
from escriba.model_names import model_named
from escriba.recordings import from_inbox_key
from escriba.settings import SettingsError, load_settings
from intake.recording_options import (
    OPTIONS_FILE,
    TranscriptionOverrides,
    options_of,
    tenant_overrides,
)
from resources.storage import open_storage


@pytest.fixture
def told(tmp_path):
    """What is said of a tenants.yaml."""

    def tell(text):
        path = tmp_path / "tenants.yaml"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        tenant_overrides.cache_clear()
        with pytest.raises(SettingsError) as caught:
            tenant_overrides(path)
        return str(caught.value)

    return tell


def test_the_languages_are_those_of_the_tokenizer():
    assert set(LANGUAGE_CODES) == set(_LANGUAGE_CODES)
    assert len(LANGUAGE_CODES) == len(_LANGUAGE_CODES)


def test_good_wishes_are_read_and_no_file_wishes_nothing(tmp_path):
    path = tmp_path / "tenants.yaml"
    assert tenant_overrides(tmp_path / "none.yaml") == {}
    path.write_text("tenants:\n  acme: {language: auto}\n  '2024': {diarize: false}\n  x:\n")
    assert tenant_overrides(path) == {
        "acme": TranscriptionOverrides(language="auto"),
        "2024": TranscriptionOverrides(diarize=False),
        "x": TranscriptionOverrides(),
    }


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("acme: {language: pt}", ["'acme'", "'tenants'"]),
        ("- acme", ["must be a mapping"]),
        ("tenants: [acme]", ["'tenants'", "must be a mapping"]),
        ("tenants: {acme: [pt]}", ["'acme'", "must be a mapping"]),
        ("tenants: {Acme: {language: pt}}", ["'Acme'", "not a valid tenant name"]),
        ("tenants: {../x: {language: pt}}", ["'../x'", "not a valid tenant name"]),
        ("tenants: {2024: {language: pt}}", ["2024", "put it in quotes"]),
        ("tenants:\n  a: {}\n  b: {}\n  a: {}", ["'a' appears twice", "lines 2 and 4"]),
        ("tenants: {a: {language: pt, language: en}}", ["'language' appears twice"]),
        ("tenants: {a: {languages: [pt, english]}}", ["'a'", "'languages'", "'english' is no"]),
        ("tenants: {a: {languages: [auto]}}", ["'a'", "'auto' is not a language code: list"]),
        ("tenants: {a: {model: smal}}", ["'a'", "'model'", "did you mean 'small'"]),
        (
            "tenants: {a: {speakers: {minimum: 3, maximum: 2}}}",
            ["tenant 'a', speakers: minimum 3 is greater than maximum 2"],
        ),
        ("tenants: {a: {speakers: {exact: 3, maximum: 3}}}", ["'a'", "not both"]),
        (
            "tenants: {a: {min_speakers: 3, max_speakers: 2}}",
            ["tenant 'a', speakers: minimum 3 is greater than maximum 2"],
        ),
        ("tenants: {a: {language: pt, languages: [en]}}", ["'a'", "remove one of the two"]),
        ("tenants: {acme: {langage: pt}}", ["'acme'", "'langage'", "language, detect, hotwords"]),
        ("tenants: {acme: {language: no}}", ["'acme'", "'language'", "in quotes"]),
        ("tenants: {acme: {language: pt-BR}}", ["'acme'", "'language'", "did you mean 'pt'?"]),
        ("tenants: {acme: {channels: both}}", ["'acme'", "'channels'", "'mixed' or 'separate'"]),
        ("tenants: {acme: {track: second}}", ["'acme'", "'track'", "or a number from 1"]),
        ("tenants: {acme: {speakers: 2}}", ["'acme'", "'speakers'", "must be a mapping"]),
        ("tenants: {acme: {subtitle_lines: yes}}", ["'subtitle_lines'", "not a whole number"]),
        ("tenants: {acme: {subtitle_lines: 4}}", ["'subtitle_lines'", "less than or equal to 3"]),
        (
            "tenants: {acme: {subtitle_chars_per_line: {latin: 37}}}",
            ["'subtitle_chars_per_line'", "'latin' is not a script", "default, thai, japanese"],
        ),
        (
            "tenants: {acme: {subtitle_chars_per_line: 5}}",
            ["'subtitle_chars_per_line'", "5 is out of range: 10 to 100"],
        ),
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
        noise in message
        for noise in ("http", "pydantic", "TranscriptionOverrides", "Error", "instance")
    )


def test_a_tenants_file_that_cannot_be_read_is_said_so(tmp_path):
    with pytest.raises(SettingsError, match="cannot be read: Is a directory"):
        tenant_overrides(tmp_path)


@pytest.mark.parametrize(
    ("code", "close"),
    [("xyz", ""), ("PT", "'pt'"), ("en_US", "'en'"), ("Auto", "'auto'"), ("yu", "'yue'"), ("", "")],
)
def test_a_language_that_nobody_knows_is_refused_with_what_is_close(code, close):
    with pytest.raises(SettingsError) as caught:
        load_settings(default_language=code)

    assert f"DEFAULT_LANGUAGE: {code!r} is not a language code" in str(caught.value)
    assert close in str(caught.value)
    assert ("did you mean" in str(caught.value)) == bool(close)


@pytest.mark.parametrize("code", ["auto", *LANGUAGE_CODES])
def test_every_language_of_whisper_may_be_the_default(code):
    assert load_settings(default_language=code).default_language == code


def test_add_refuses_an_unknown_language_before_it_copies_anything(tmp_path):
    (tmp_path / "a.mp3").write_bytes(b"sound")

    done = CliRunner().invoke(add, ["a.mp3", "--language", "pt-PT"])

    assert done.exit_code == 2
    assert "--language: 'pt-PT' is not a language code" in done.output
    assert "did you mean 'pt'?" in done.output
    assert not (tmp_path / "data").exists()


def test_a_recordings_own_unknown_language_is_refused_before_a_job(tmp_path):
    settings = load_settings(storage_url=(tmp_path / "bucket").as_uri())
    storage, recording = open_storage(settings), from_inbox_key("inbox/acme/a.mp3")
    storage.write(recording.work_key(OPTIONS_FILE), b'{"language": "english"}')

    with pytest.raises(RecordingError, match="'language': 'english' is not a language code"):
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
    assert "'second' is not a track: use 'auto', 'all', or a number from 1" in done.output


@pytest.mark.parametrize("amount", ["abc", "12,50", "-1", "inf", "50 USD"])
@pytest.mark.parametrize("name", ["DAILY_COST_THRESHOLD", "MONTHLY_COST_THRESHOLD"])
def test_what_is_no_amount_is_told_with_its_setting_and_what_would_be_one(
    name, amount, monkeypatch
):
    monkeypatch.setenv(name, amount)

    with pytest.raises(SettingsError) as caught:
        load_settings()

    assert (
        f"{name}: {amount!r} is not an amount in USD such as 12.50; write 'none' for no limit"
        in str(caught.value)
    )


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"SUBTITLE_LINES": "two"}, "SUBTITLE_LINES: 'two' is not a whole number"),
        ({"SUBTITLE_CHARS_PER_LINE": "42,5"}, "SUBTITLE_CHARS_PER_LINE: there are two numbers"),
        ({"SUBTITLE_CHARS_PER_SECOND": "latin=17"}, "'latin' is not a script"),
        (
            {"SUBTITLE_MIN_MS": "3000", "SUBTITLE_MAX_MS": "2500"},
            "SUBTITLE_MIN_MS (3000) is more than SUBTITLE_MAX_MS (2500)",
        ),
        (
            {"SUBTITLE_CHARS_PER_SECOND": "5"},
            (
                "a full line of 42 characters (default) cannot be read within "
                "SUBTITLE_MAX_MS (7000) at 5 characters"
            ),
        ),
    ],
)
def test_rules_of_subtitles_that_cannot_be_kept_are_refused(settings, says, monkeypatch):
    for name, value in settings.items():
        monkeypatch.setenv(name, value)

    with pytest.raises(SettingsError) as caught:
        load_settings()

    assert says in str(caught.value)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--languages", "pt,xx"], "--languages: 'xx' is not a language code"),
        (["--languages", "pt,en", "--language", "pt"], "Give --language or --languages, not both"),
        (["--min-speakers", "3", "--max-speakers", "2"], "is greater than --max-speakers 2"),
        (["--speakers", "2", "--max-speakers", "3"], "--speakers sets the exact number"),
        (["--prompt", "word " * 400], "--prompt: it has 2,000 characters"),
        (["--model", "smal"], "did you mean 'small'"),
        (["--model", "./nowhere"], "not a folder on this machine"),
    ],
)
def test_add_refuses_what_cannot_be_wished_for(tmp_path, arguments, says):
    (tmp_path / "a.mp3").write_bytes(b"sound")

    done = CliRunner().invoke(add, ["a.mp3", *arguments])

    assert done.exit_code == 2
    assert says in done.output
    assert not (tmp_path / "data").exists()


def test_add_keeps_every_wish_for_the_run(tmp_path):
    (tmp_path / "a.mp3").write_bytes(b"sound")
    given = ["--languages", "pt,en", "--min-speakers", "2", "--max-speakers", "4", "--translate"]
    given += ["--prompt", "Habeas corpus.", "--model", "medium"]

    done = CliRunner().invoke(add, ["a.mp3", *given])

    assert done.exit_code == 0, done.output
    settings = load_settings()
    storage, recording = open_storage(settings), from_inbox_key("inbox/default/a.mp3")
    job = options_of(recording, settings, storage).job
    assert (job.model, job.task, job.initial_prompt) == ("medium", "translate", "Habeas corpus.")
    assert (job.language, job.languages) == (None, ("en", "pt"))
    assert (job.speakers.minimum, job.speakers.maximum) == (2, 4)


@pytest.mark.parametrize(
    ("arguments", "environment", "says"),
    [
        (["--translate", "--model", "large-v3-turbo"], {}, "cannot translate into English"),
        (["--translate", "--model", "medium"], {}, ""),
        (
            ["--model", "medium"],
            {"RUNPOD_API_KEY": "k", "RUNPOD_ENDPOINT_ID": "e"},
            "no configured backend can run medium",
        ),
    ],
)
def test_add_tells_what_cannot_come_of_a_wish(tmp_path, monkeypatch, arguments, environment, says):
    (tmp_path / "a.mp3").write_bytes(b"sound")
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    done = CliRunner().invoke(add, ["a.mp3", *arguments])

    assert done.exit_code == 0
    assert says in done.stderr
    assert bool(done.stderr) == bool(says)


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"languages": "pt,auto"}, "LANGUAGES: 'auto' is not a language code: list"),
        ({"min_speakers": 3, "max_speakers": 2}, "MIN_SPEAKERS=3 is more than MAX_SPEAKERS=2"),
        ({"initial_prompt": "word " * 400}, "INITIAL_PROMPT: it has 2,000 characters"),
    ],
)
def test_settings_that_contradict_are_refused_by_name(settings, says):
    with pytest.raises(SettingsError, match=says):
        load_settings(**settings)


def test_a_tenants_file_that_is_set_and_missing_is_an_error(tmp_path, monkeypatch):
    assert load_settings().tenants_file == tmp_path / "tenants.yaml"  # not set: none is needed
    monkeypatch.setenv("TENANTS_FILE", "court.yaml")

    with pytest.raises(SettingsError, match=r"TENANTS_FILE=.*court\.yaml does not exist"):
        load_settings()


def test_a_tenant_may_say_what_the_options_are_called():
    told = {"prompt": "Moncloa.", "min_speakers": 2, "max_speakers": 4, "translate": True}

    assert TranscriptionOverrides.model_validate(told) == TranscriptionOverrides(
        initial_prompt="Moncloa.", speakers={"minimum": 2, "maximum": 4}, translate=True
    )
    with pytest.raises(ValueError, match="not both"):
        TranscriptionOverrides.model_validate({"speakers": {"exact": 2}, "max_speakers": 3})


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("", "neither a folder nor a known short name of a model on the hub"),
        ("./empty", "a folder without a model.bin"),
    ],
)
def test_a_folder_without_a_model_is_none(tmp_path, monkeypatch, name, why):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()

    with pytest.raises(ValueError, match=why):
        model_named(name)


def test_a_folder_that_is_called_like_a_model_of_the_hub_is_not_taken_for_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "small").mkdir()

    assert model_named("small").folder is None
