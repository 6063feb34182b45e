"""What other settings made is told with its price, and redone where somebody asks."""

import json

import pytest

from .conftest import MEDIA, escriba


@pytest.fixture(scope="module")
def done_once(tmp_path_factory):
    """Two tenants with one recording each, done in English by the toy."""
    place = tmp_path_factory.mktemp("outdated")
    for tenant in ("court", "lab"):
        escriba("add", MEDIA / "english-2-voices.mp3", "--tenant", tenant, cwd=place)
    first = escriba("run", "--json", cwd=place, DEFAULT_LANGUAGE="en")
    assert json.loads(first.stdout)["outdated"] == []
    return place


def attempts(place):
    return len(list((place / "data" / "bucket" / "work").rglob("attempt-*.json")))


def test_a_change_of_settings_is_told_with_its_price_and_does_nothing_by_itself(done_once):
    before = attempts(done_once)

    same = escriba("run", cwd=done_once, DEFAULT_LANGUAGE="en")
    other = escriba("run", cwd=done_once, DEFAULT_LANGUAGE="auto")

    assert "other settings" not in same.stdout
    assert "2 recordings were done with other settings (1:" in other.stdout
    assert "USD on local/this-machine" in other.stdout
    assert "`escriba run --outdated`" in other.stdout
    assert attempts(done_once) == before


def test_a_diarizer_that_changed_counts_too_and_scripts_read_names(done_once):
    told = json.loads(
        escriba("run", "--json", cwd=done_once, DEFAULT_LANGUAGE="en", DIARIZER="none").stdout
    )

    assert told["outdated"] == ["court/english-2-voices.mp3", "lab/english-2-voices.mp3"]
    assert told["done"] == []


def test_what_is_outdated_is_redone_once_and_of_the_tenant_alone_that_is_named(done_once):
    before = attempts(done_once)
    settings = {"DEFAULT_LANGUAGE": "en", "HOTWORDS": "meeting"}

    first = escriba("run", "--outdated", "--tenant", "lab", cwd=done_once, **settings)
    assert "1 of 1 recordings done" in first.stdout, first.stderr
    assert attempts(done_once) == before + 1

    again = escriba("run", "--outdated", "--tenant", "lab", cwd=done_once, **settings)
    assert "No recording was done with other settings" in again.stdout
    assert attempts(done_once) == before + 1
    left = json.loads(escriba("run", "--json", cwd=done_once, **settings).stdout)["outdated"]
    assert left == ["court/english-2-voices.mp3"]


def test_records_of_an_earlier_version_are_compared_by_their_jobs(done_once):
    [record] = (done_once / "data" / "bucket" / "work" / "court").rglob("stages/cost_metrics.json")
    kept = json.loads(record.read_text())
    older = {"source_etag", "attempt_ids", "cost_usd", "audio_seconds", "rtf"}
    facts = {name: value for name, value in kept["facts"].items() if name in older}
    record.write_text(json.dumps(kept | {"facts": facts}))

    same = escriba("run", "--json", "--tenant", "court", cwd=done_once, DEFAULT_LANGUAGE="en")
    other = escriba("run", "--json", "--tenant", "court", cwd=done_once, DEFAULT_LANGUAGE="pt")

    assert json.loads(same.stdout)["outdated"] == []
    assert json.loads(other.stdout)["outdated"] == ["court/english-2-voices.mp3"]
    record.write_text(json.dumps(kept))


def test_to_force_everything_wants_a_yes_and_tells_the_price(done_once):
    asked = escriba("backfill", "--force", cwd=done_once)
    assert asked.returncode == 2
    assert "2 recordings would be redone: about" in asked.stderr
    assert "--yes" in asked.stderr
    assert not list((done_once / "data" / "bucket").glob("requests/*"))

    cheap = escriba("backfill", "--force", "--stage", "cost_metrics", cwd=done_once)
    assert (cheap.returncode, "no GPU time" in cheap.stderr) == (2, True)

    sure = escriba("backfill", "--force", "--yes", cwd=done_once)
    assert (sure.returncode, "Requested 2 recordings in" in sure.stdout) == (0, True)
    some = escriba("backfill", "--force", "--tenant", "lab", cwd=done_once)
    assert (some.returncode, "Requested 1 recording in" in some.stdout) == (0, True)


def test_what_the_toy_wrote_says_so_wherever_it_is_read(done_once):
    [text] = (done_once / "data").rglob("transcripts/court/**/transcript.txt")
    assert text.read_text().startswith("Made by the demo's toy model")
    for name in ("transcript.json", "diarized.json"):
        told = json.loads(text.with_name(name).read_text())
        assert (told["toy"], told["model"]) == (True, "demo")
        assert told["model_revision"].startswith("demo@")
    assert "toy" in escriba("status", cwd=done_once).stdout
    models = json.loads(escriba("status", "--json", cwd=done_once).stdout)["models"]
    assert models["court/english-2-voices.mp3"]["toy"] is True
    shown = escriba("show", "court", cwd=done_once).stderr
    assert "model demo, revision demo@" in shown
    assert "toy" in shown
