"""`escriba run` in this process: what it takes, and what it tells."""

import json
import wave

import pytest
from click.testing import CliRunner
from rich.console import Console

from cli.commands.run import command as run
from cli.runs.run_recordings import open_instance, run_recordings
from escriba.recordings import from_inbox_key
from escriba.settings import load_settings
from resources.storage import open_storage


@pytest.fixture
def put(tmp_path, monkeypatch):
    """Puts two seconds of silence, or other bytes, into the inbox of the bucket of the settings."""
    monkeypatch.setenv("STORAGE_URL", (tmp_path / "bucket").as_uri())
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "dagster"))
    monkeypatch.setenv("BATCH_SIZE", "1")

    def into(name, data=None):
        path = tmp_path / "bucket" / "inbox" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if data is not None:
            path.write_bytes(data)
        else:
            with wave.open(str(path), "wb") as file:
                file.setparams((1, 2, 16_000, 0, "NONE", ""))
                file.writeframes(bytes(64_000))
        return from_inbox_key(f"inbox/{name}")

    return into


def told(*arguments):
    """What the command says to a script."""
    return json.loads(CliRunner().invoke(run, [*arguments, "--json"]).output)


def runs():
    """How many runs Dagster knows of."""
    with open_instance(load_settings()) as instance:
        return instance.get_runs_count()


def test_only_the_recordings_of_a_tenant_that_is_named_are_taken(put):
    put("acme/a.wav")
    put("zeta/b.wav")

    assert told("--tenant", "zeta")["done"] == ["zeta/b.wav"]
    assert told()["done"] == ["acme/a.wav"]


def test_a_run_takes_no_more_recordings_than_a_batch_may_hold(put):
    recordings = [put("acme/a.wav"), put("acme/b.wav")]

    run_recordings(load_settings(), recordings, Console(), quiet=True)

    assert runs() == 2
    run_recordings(load_settings(batch_size=2), recordings, Console(), quiet=True)
    assert runs() == 3


def test_what_failed_for_good_is_told_at_first_and_waits_afterwards(put):
    put("acme/notes.mp3", b"no audio")

    first, second = told(), told()

    assert [failed["recording"] for failed in first["failed"]] == ["acme/notes.mp3"]
    assert (second["failed"], second["waiting_for_retry"]) == ([], ["acme/notes.mp3"])


def test_what_is_done_in_the_bucket_is_told_to_a_dagster_that_never_heard_of_it(put, tmp_path):
    """A run that was killed between the two leaves such, and so does a new DAGSTER_HOME."""
    put("acme/a.wav")
    told()
    put("acme/b.wav")
    elsewhere = load_settings(dagster_home=tmp_path / "elsewhere")
    run_recordings(elsewhere, [from_inbox_key("inbox/acme/b.wav")], Console(), quiet=True)

    assert told()["done"] == ["acme/b.wav"]
    assert told()["done"] == []
    assert open_storage(elsewhere).read("transcripts/acme/b.wav/diarized.json") is not None
