"""How files are rendered: each option at each level; none of them changes the job."""

import pytest
import yaml

from escriba.errors import RecordingError
from escriba.recordings import from_inbox_key
from escriba.settings import SettingsError, load_settings
from escriba.transcripts.render_options import FORMATS, RenderOptions
from escriba.transcripts.subtitle_rules import CharsPerLine, CharsPerSecond
from intake.recording_options import OPTIONS_FILE, options_of, tenant_options
from resources.storage import open_storage

LOOKS = {
    "formats": ("srt, txt", ("txt", "srt", "json")),
    "subtitle_speakers": ("changes", "changes"),
    "subtitle_highlight": (True, True),
    "subtitle_chars_per_line": ("37,japanese=16", CharsPerLine(default=37, japanese=16)),
    "subtitle_chars_per_second": ("thai=12", CharsPerSecond(thai=12)),
    "subtitle_lines": (3, 3),
    "subtitle_min_ms": (833, 833),
    "subtitle_max_ms": (8_000, 8_000),
    "subtitle_pause_ms": (500, 500),
    "subtitle_delay_ms": (0, 0),
}


@pytest.fixture
def look(tmp_path):
    """The render options and the job options of a recording."""

    def resolve(settings=None, tenant=None):
        path = (
            tmp_path / f"tenants-{len(list(tmp_path.iterdir()))}.yaml"
        )  # the file is cached by path
        path.write_text(yaml.safe_dump({"tenants": {"acme": tenant or {}}}))
        loaded = load_settings(tenants_file=path, **(settings or {}))
        found = tenant_options("acme", loaded)
        return found.render_options, found.job

    return resolve


@pytest.mark.parametrize("name", LOOKS)
@pytest.mark.parametrize("level", ["settings", "tenant"])
def test_a_look_is_wished_for_at_each_level_and_changes_no_job(look, name, level):
    value, seen = LOOKS[name]
    found, job = look(**{level: {name: value}})

    assert found == RenderOptions(**{name: seen})
    assert job == look()[1]


def test_yaml_and_environment_may_say_true_and_false(look):
    assert look(tenant={"subtitle_speakers": True})[0].subtitle_speakers == "changes"
    assert look({"subtitle_speakers": "yes"}, {"subtitle_speakers": False})[0] == RenderOptions()


def test_every_look_is_in_this_table():
    assert set(LOOKS) == set(RenderOptions.model_fields)


def test_a_tenant_changes_the_scripts_that_it_names_and_no_others(look):
    found, _ = look({"subtitle_chars_per_line": "40,thai=30"}, {"subtitle_chars_per_line": 37})
    assert found.subtitle_chars_per_line == CharsPerLine(default=37, thai=30)
    tenant = {"subtitle_chars_per_line": {"japanese": 12}}
    found, _ = look({"subtitle_chars_per_line": "40,thai=30"}, tenant)
    assert found.subtitle_chars_per_line == CharsPerLine(default=40, thai=30, japanese=12)


def test_a_tenant_that_contradicts_the_settings_is_named_with_both_values(look):
    with pytest.raises(SettingsError, match=r"'acme'.*subtitle_min_ms \(8000\) is more than"):
        look({"subtitle_max_ms": 7_000}, {"subtitle_min_ms": 8_000})


def test_a_recordings_own_contradiction_is_its_own_failure(tmp_path):
    loaded = load_settings(storage_url=(tmp_path / "bucket").as_uri())
    storage, one = open_storage(loaded), from_inbox_key("inbox/acme/a.mp3")
    storage.write(one.work_key(OPTIONS_FILE), b'{"subtitle_min_ms": 9000}')

    with pytest.raises(RecordingError, match=r"options.json.*subtitle_min_ms \(9000\) is more"):
        options_of(one, loaded, storage)


def test_all_formats_are_written_where_nobody_says_otherwise(look):
    assert look()[0].formats == tuple(FORMATS)
