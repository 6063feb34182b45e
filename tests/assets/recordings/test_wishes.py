"""Every option at each level: settings, tenants.yaml, options.json; the last one wins."""

import json

import pytest
import yaml

from escriba.recordings import from_inbox_key
from escriba.settings import load_settings
from escriba.transcripts.render_options import RenderOptions
from gpu_job.contract import JobOptions, Speakers
from gpu_job.contract.diarizer_rules import RULES
from intake.made_with import made_with
from intake.recording_options import (
    OPTIONS_FILE,
    TranscriptionOverrides,
    options_of,
    tenant_overrides,
)
from resources.storage import open_storage

# by option: the value of a tenant or recording, and the resulting job options
TENANT = {
    "detect": ("along", {"detect": "along"}),
    "language": ("en", {"language": "en"}),
    "hotwords": ("Ana", {"hotwords": "Ana"}),
    "initial_prompt": ("A meeting.", {"initial_prompt": "A meeting."}),
    "diarize": (False, {"diarizer": "none"}),
    "channels": ("separate", {"channels": "separate"}),
    "speakers": ({"exact": 2}, {"speakers": Speakers(exact=2)}),
    "languages": (["pt", "en"], {"language": None, "languages": ("en", "pt")}),
    "translate": (True, {"task": "translate"}),
    "model": ("base", {"model": "base"}),
    "track": (2, {"track": "2"}),
}
RECORDING = {
    "detect": ("once", {"detect": "once"}),
    "language": ("auto", {"language": None}),
    "hotwords": ("João", {"hotwords": "João"}),
    "initial_prompt": ("A hearing.", {"initial_prompt": "A hearing."}),
    "diarize": (True, {"diarizer": "light"}),
    "channels": ("mixed", {"channels": "mixed"}),
    "speakers": ({"minimum": 1, "maximum": 3}, {"speakers": Speakers(minimum=1, maximum=3)}),
    "languages": (["es"], {"language": None, "languages": ("es",)}),
    "translate": (False, {"task": "transcribe"}),
    "model": ("auto", {"model": "demo"}),
    "track": ("auto", {"track": ""}),
}
SETTINGS = {
    "model": ("small", {"model": "small"}),
    "default_language": ("fr", {"language": "fr"}),
    "language_detection": ("along", {"detect": "along"}),
    "hotwords": ("Zoé", {"hotwords": "Zoé"}),
    "initial_prompt": ("A talk.", {"initial_prompt": "A talk."}),
    "diarizer": ("none", {"diarizer": "none"}),
    "channels": ("separate", {"channels": "separate"}),
    "beam_size": (5, {"beam_size": 5}),
    "speaker_embeddings": (True, {"speaker_embeddings": True}),
    "languages": ("pt,en", {"language": None, "languages": ("en", "pt")}),
    "translate": (True, {"task": "translate"}),
    "min_speakers": (2, {"speakers": Speakers(minimum=2)}),
    "track": ("all", {"track": "all"}),
    "max_speakers": (4, {"speakers": Speakers(maximum=4)}),
}


@pytest.fixture
def told(tmp_path):
    """The options of a recording's job, by what is set at each level."""

    def tell(settings=None, tenant=None, recording=None):
        (tmp_path / "tenants.yaml").write_text(yaml.safe_dump({"tenants": {"acme": tenant or {}}}))
        tenant_overrides.cache_clear()
        loaded = load_settings(
            storage_url=(tmp_path / "bucket").as_uri(),
            models_folder=tmp_path / "models",
            **(settings or {}),
        )
        storage, one = open_storage(loaded), from_inbox_key("inbox/acme/a.mp3")
        storage.write(one.work_key(OPTIONS_FILE), json.dumps(recording or {}).encode())
        resolved = options_of(one, loaded, storage)
        assert resolved.channels == resolved.job.channels
        return resolved.job

    return tell


def but(told_more):
    """The default options of a job, with these changes."""
    return JobOptions(model="demo", language="pt", beam_size=2).model_copy(update=told_more)


def test_every_wish_is_in_these_tables():
    """Except `preview`, for Dagster, and the render options: neither changes a job."""
    others = {"preview", *RenderOptions.model_fields}
    assert set(TENANT) == set(RECORDING) == set(TranscriptionOverrides.model_fields) - others


def test_the_model_of_the_speakers_is_told_where_pyannote_finds_them(told):
    settings = {"diarizer": "pyannote", "diarization_model": "pyannote/speaker-diarization-3.1"}

    assert told(settings=settings) == but(settings)
    alone = {"diarization_model": "pyannote/speaker-diarization-3.1"}
    assert told(settings=alone) == but({})  # it changes no job of another diarizer


def test_who_wants_no_speakers_names_no_model_of_them(told):
    settings = {"diarizer": "pyannote", "diarization_model": "a", "speaker_embeddings": True}

    assert told(settings=settings, tenant={"diarize": False}) == but({"diarizer": "none"})


def test_where_nothing_is_wished_for_the_defaults_stand(told):
    assert told() == but({})


@pytest.mark.parametrize("name", SETTINGS)
def test_a_setting_reaches_the_job(told, name):
    value, job = SETTINGS[name]

    assert told(settings={name: value}) == but(job)


@pytest.mark.parametrize("name", TENANT)
def test_a_tenants_wish_reaches_the_job(told, name):
    value, job = TENANT[name]

    assert told(tenant={name: value}) == but(job)


@pytest.mark.parametrize("name", RECORDING)
def test_a_recordings_own_wish_wins_over_its_tenants(told, name):
    value, job = RECORDING[name]

    assert told(tenant={name: TENANT[name][0]}, recording={name: value}) == but(job)


@pytest.mark.parametrize("name", [name for name in TENANT if name in SETTINGS])
def test_a_tenants_wish_wins_over_a_setting(told, name):
    value, job = TENANT[name]

    assert told(settings={name: SETTINGS[name][0]}, tenant={name: value}) == but(job)


def test_a_language_that_somebody_says_leaves_no_choice_among_candidates(told):
    settings = {"languages": "pt,en", "default_language": "es"}

    assert told(settings=settings) == but({"language": "es"})
    auto = settings | {"default_language": "auto"}
    assert told(settings=auto) == but({"language": None, "languages": ("en", "pt")})
    assert told(settings=auto, tenant={"language": "fr"}) == but({"language": "fr"})
    tenant = {"language": "auto", "languages": ["fr", "de"]}
    assert told(settings=settings, tenant=tenant) == but(
        {"language": None, "languages": ("de", "fr")}
    )


def test_the_order_of_candidates_makes_no_other_job(told):
    assert told(settings={"languages": "pt,en"}) == told(settings={"languages": "en,pt,en"})


def test_who_sets_no_model_gets_one_with_a_name(told, monkeypatch):
    monkeypatch.delenv("MODEL")

    assert told(settings={"device": "cpu"}).model == "small"


def test_the_voices_that_stand_here_are_part_of_what_is_wanted(told, tmp_path):
    toy = told()
    folder = tmp_path / "models" / "voices"
    folder.mkdir(parents=True)
    (folder / "voices.json").write_text('{"revision": "abc"}')

    assert toy.diarization_model == ""  # as in all earlier jobs of the demo model
    assert told().diarization_model == f"voices@abc+rules-{RULES}"
    assert told({"diarizer": "none"}).diarization_model == ""
    assert told(tenant={"diarize": False}).diarization_model == ""


@pytest.mark.parametrize("older", ["voices@abc", "voices@abc+rules-1"])
def test_what_older_rules_of_the_light_diarizer_made_is_made_otherwise_now(told, tmp_path, older):
    folder = tmp_path / "models" / "voices"
    folder.mkdir(parents=True)
    (folder / "voices.json").write_text('{"revision": "abc"}')
    now = told()
    before = now.model_copy(update={"diarization_model": older})

    assert made_with(now, 1, 1) != made_with(before, 1, 1)
    assert made_with(now, 1, 1) == made_with(told(), 1, 1)
