"""What lies beside recordings is told in a line, and is no failure."""

import json

import pytest
from click.testing import CliRunner

from cli.cli_context import original_stream
from cli.commands.add import command as add
from cli.commands.status import command as status
from escriba.settings import load_settings
from intake.ignored_files import is_ignored
from intake.inbox import survey_inbox
from resources.storage import open_storage

BESIDE = ("slides.pdf", "chat.txt", "talk.mp4.part", "._talk.mp3", "sub/notes.docx")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A lecture's folder, and what lies in it."""
    monkeypatch.chdir(tmp_path)
    for name in ("talk.mp3", "sub/second.wav", *BESIDE):
        path = tmp_path / "lecture" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    return tmp_path / "lecture"


def test_a_folder_is_added_without_what_is_no_recording(folder):
    done = CliRunner().invoke(add, [str(folder), "--json"])

    told = json.loads(done.stdout)
    assert done.exit_code == 0
    assert told["added"] == ["default/lecture/sub/second.wav", "default/lecture/talk.mp3"]
    assert sorted(told["left_out"]) == sorted(f"lecture/{name}" for name in BESIDE)
    assert told["refused"] == {}


def test_what_is_left_out_is_told_in_one_line(folder, capfd):
    original_stream.cache_clear()  # of another test's output
    assert CliRunner().invoke(add, [str(folder)]).exit_code == 0

    [line] = [line for line in capfd.readouterr().out.splitlines() if "left out" in line]
    assert line.startswith("left out 5 files that are not recordings: lecture/._talk.mp3, ")


def test_all_files_of_a_folder_named_one_by_one_are_no_failure_either(folder):
    named = [str(path) for path in folder.iterdir() if path.is_file()]

    done = CliRunner().invoke(add, [*named, "--json"])

    assert done.exit_code == 0
    assert json.loads(done.stdout)["added"] == ["default/talk.mp3"]


@pytest.mark.parametrize("what", ["empty", "lecture/chat.txt"])
def test_where_nothing_is_added_it_is_said(folder, what, capfd):
    original_stream.cache_clear()  # of another test's output
    (folder.parent / "empty").mkdir()

    done = CliRunner().invoke(add, [str(folder.parent / what)])

    assert done.exit_code == 1
    assert "Nothing was added" in capfd.readouterr().out


def test_what_falls_into_the_inbox_is_left_out_and_told(folder):
    storage = open_storage(load_settings())
    for name in ("talk.mp3", *BESIDE):
        storage.write(f"inbox/acme/{name}", b"x")

    seen = survey_inbox(storage)
    told = json.loads(CliRunner().invoke(status, ["--json"]).stdout)

    assert [recording.name for recording in seen.new] == ["acme/talk.mp3"]
    assert seen.refused == []
    assert sorted(told["left_out"]) == sorted(f"inbox/acme/{name}" for name in BESIDE)


@pytest.mark.parametrize(
    "name", ["talk.mp3", "2026.11.24", "notes", "a.txt.wav", "part", "x.MXF", ".mp3", "tmp.opus"]
)
def test_whatever_may_be_a_recording_is_taken(name):
    assert not is_ignored(f"acme/{name}")
