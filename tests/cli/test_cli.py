"""The commands as people type them."""

import json
import shutil

import pysubs2
import pytest
import webvtt

from escriba.transcripts.rttm import parse_rttm

from .conftest import MEDIA, escriba


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """The demo, run once; its folder and what it printed."""
    cwd = tmp_path_factory.mktemp("demo")
    done = escriba("demo", cwd=cwd)
    assert done.returncode == 0, done.stderr
    return cwd / "escriba-demo", done.stdout


def test_the_demo_prints_transcripts_speakers_costs_and_what_to_do_next(demo):
    _, printed = demo

    assert "3 of 3 recordings done" in printed
    assert "SPEAKER_00  Good morning everyone." in printed
    assert "Bom dia a todos." in printed
    for name in ("english-2-voices", "english-3-voices", "portuguese-2-voices"):
        assert name in printed
    assert "RunPod L4" in printed
    assert "toy" in printed
    assert "from the hub" in printed
    assert "show english-3-voices.mp4 --format srt" in printed


def test_every_format_can_be_shown_and_read_by_other_programs(demo, tmp_path):
    folder, _ = demo
    shown = {
        kind: escriba("show", "english-3-voices.mp4", "--format", kind, cwd=folder).stdout
        for kind in ("txt", "srt", "vtt", "rttm", "json")
    }

    assert "SPEAKER_01: I have a question." in shown["txt"]
    assert len(pysubs2.SSAFile.from_string(shown["srt"])) > 10
    (tmp_path / "x.vtt").write_text(shown["vtt"])
    assert len(webvtt.read(tmp_path / "x.vtt")) > 10
    [turns] = parse_rttm(shown["rttm"]).values()
    assert {turn.speaker for turn in turns} == {"SPEAKER_00", "SPEAKER_01", "SPEAKER_02"}
    assert len(json.loads(shown["json"])["speakers"]) == 3


def test_what_was_taken_out_can_be_shown_in_its_place(demo, tmp_path):
    folder, _ = demo
    shutil.copytree(folder, tmp_path / "demo")
    [file] = (tmp_path / "demo").rglob("english-3-voices.mp4/diarized.json")
    made = json.loads(file.read_text())
    word = made["segments"][0]["words"][0] | {"text": "Ahem,", "start_ms": 0, "end_ms": 1}
    gone = {"start_ms": 0, "end_ms": 1, "text": "Ahem,", "reason": "no_speech", "words": [word]}
    file.write_text(json.dumps(made | {"removed": [gone]}))

    home = {"STORAGE_URL": (tmp_path / "demo" / "bucket").as_uri()}  # else that of the first one
    plain, whole = (
        escriba("show", "english-3-voices.mp4", *more, cwd=tmp_path / "demo", **home)
        for more in ((), ("--with-removed",))
    )

    assert "Ahem," not in plain.stdout + plain.stderr
    assert "Words removed: 1." in plain.stderr
    assert "Ahem," in whole.stdout.splitlines()[2]  # the first says that a toy heard it
    assert "restored [0:00:00] Ahem, (no_speech)" in whole.stderr.splitlines()


def test_nothing_new_is_quickly_said(demo):
    folder, _ = demo

    done = escriba("run", cwd=folder)

    assert done.returncode == 0
    assert "Nothing new" in done.stdout


def test_costs_add_up_by_every_group(demo):
    folder, _ = demo
    sums = set()
    for group in ("recording", "tenant", "backend", "model", "day"):
        answer = json.loads(escriba("costs", "--by", group, "--json", cwd=folder).stdout)
        assert sum(row["attempts"] for row in answer["rows"]) == 3
        sums.add(answer["total_usd"])
    assert len(sums) == 1
    rebuilt = escriba("costs", "--rebuild", "--json", cwd=folder)
    assert json.loads(rebuilt.stdout)["total_usd"] in sums


def test_a_demo_removes_an_older_demo_but_nothing_else(tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years of work")

    done = escriba("demo", "--folder", "mine", cwd=tmp_path)

    assert done.returncode == 2
    assert (tmp_path / "mine" / "thesis.txt").exists()


def test_add_run_and_status_tell_of_good_and_bad_files(tmp_path):
    (tmp_path / "notes.mp3").write_text("no audio")
    home = {"STORAGE_URL": (tmp_path / "bucket").as_uri(), "DEFAULT_LANGUAGE": "auto"}
    files = [MEDIA / "english-2-voices.mp3", tmp_path / "notes.mp3"]

    added = escriba("add", *files, "--tenant", "me", "--json", cwd=tmp_path, **home)
    again = escriba("add", files[0], "--tenant", "me", cwd=tmp_path, **home)
    ran = escriba("run", cwd=tmp_path, **home)
    status = json.loads(escriba("status", "--json", cwd=tmp_path, **home).stdout)
    second = escriba("run", cwd=tmp_path, **home)
    retried = escriba("retry", cwd=tmp_path, **home)

    assert json.loads(added.stdout)["added"] == ["me/english-2-voices.mp3", "me/notes.mp3"]
    assert (again.returncode, "--replace" in again.stdout) == (1, True)
    assert ran.returncode == 1
    assert "me/notes.mp3" in ran.stdout
    lines = [json.loads(line) for line in ran.stderr.splitlines()]
    assert {line["event"] for line in lines} == {"done", "failed"}
    assert status["done"] == ["me/english-2-voices.mp3"]
    assert status["failed"][0]["code"] == "not_audio"
    assert (second.returncode, "Nothing new" in second.stdout) == (0, True)
    assert (retried.returncode, "me/notes.mp3" in retried.stdout) == (1, True)


@pytest.mark.parametrize(
    ("environment", "named"),
    [
        ({"STORAGE_URL": "ftp://x"}, "STORAGE_URL"),
        ({"MAX_UPLOAD_MB": "many"}, "MAX_UPLOAD_MB"),
        ({"PRIMARY_BACKEND": "abacus"}, "PRIMARY_BACKEND"),
        ({"AWS_SECRET_ACCESS_KEY": "hunter2", "STORAGE_BACKEND": "floppy"}, "STORAGE_BACKEND"),
    ],
)
def test_a_wrong_setting_is_named_and_nothing_starts(tmp_path, environment, named):
    done = escriba("status", cwd=tmp_path, **environment)

    assert done.returncode == 2
    assert named in done.stderr
    assert "Traceback" not in done.stderr
    assert "hunter2" not in done.stderr


def test_a_model_that_cannot_be_loaded_stops_the_run_and_blames_no_file(tmp_path):
    home = {"STORAGE_URL": (tmp_path / "bucket").as_uri(), "HF_HUB_OFFLINE": "1"}
    escriba("add", MEDIA / "english-2-voices.mp3", cwd=tmp_path, **home)

    done = escriba("run", cwd=tmp_path, MODEL="no-such-model", **home)

    assert done.returncode == 2
    assert "'no-such-model'" in done.stderr
    assert "Traceback" not in done.stderr
    assert not list((tmp_path / "bucket").glob("quarantine/**/*.json"))
    assert json.loads(escriba("status", "--json", cwd=tmp_path, **home).stdout)["new"] == [
        "default/english-2-voices.mp3"
    ]


def test_a_recording_that_is_not_there_or_not_clear_is_explained(demo):
    folder, _ = demo

    unknown = escriba("show", "nothing.mp3", cwd=folder)
    unclear = escriba("show", "english", cwd=folder)

    assert (unknown.returncode, "escriba status" in unknown.stderr) == (2, True)
    assert "demo/english-3-voices.mp4" in unclear.stderr


def test_damaged_records_of_dagster_are_a_sentence(tmp_path):
    home = {"STORAGE_URL": (tmp_path / "bucket").as_uri()}
    escriba("add", MEDIA / "english-2-voices.mp3", cwd=tmp_path, **home)
    history = tmp_path / "data" / "dagster" / "history"
    history.mkdir(parents=True)
    (history / "runs.db").write_bytes(b"no database" * 1000)

    done = escriba("run", cwd=tmp_path, **home)

    assert done.returncode == 2
    assert "Move that folder away" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_recording_that_is_named_is_looked_at_again(demo):
    folder, _ = demo

    done = escriba("run", "english-3-voices.mp4", "--json", cwd=folder)

    assert json.loads(done.stdout)["done"] == ["demo/english-3-voices.mp4"]


def test_a_demo_never_removes_recordings_of_ones_own(tmp_path):
    own = tmp_path / "escriba-demo" / "bucket" / "inbox" / "me"
    own.mkdir(parents=True)
    (tmp_path / "escriba-demo" / ".escriba-demo").touch()

    done = escriba("demo", cwd=tmp_path)

    assert done.returncode == 2
    assert own.exists()


def test_adding_a_folder_leaves_out_what_is_hidden_and_what_is_ours(tmp_path):
    (tmp_path / ".env").write_text("AWS_SECRET_ACCESS_KEY=topsecret")
    (tmp_path / "talks" / ".git").mkdir(parents=True)
    (tmp_path / "talks" / ".git" / "config").write_text("x")
    (tmp_path / "talks" / "a.mp3").write_bytes((MEDIA / "english-2-voices.mp3").read_bytes())
    assert escriba("add", "talks/a.mp3", cwd=tmp_path).returncode == 0

    done = escriba("add", ".", "--tenant", "me", "--json", cwd=tmp_path)

    assert json.loads(done.stdout)["added"] == [f"me/{tmp_path.name}/talks/a.mp3"]


def test_a_refused_name_is_told_once_and_stays_in_the_status(tmp_path):
    stray = tmp_path / "data" / "bucket" / "inbox" / "stray.mp3"
    stray.parent.mkdir(parents=True)
    stray.write_bytes(b"x")

    first, second = escriba("run", cwd=tmp_path), escriba("run", cwd=tmp_path)

    assert (first.returncode, second.returncode) == (1, 0)
    assert "inbox/stray.mp3" in first.stdout
    [refused] = json.loads(escriba("status", "--json", cwd=tmp_path).stdout)["refused"]
    assert refused["name"] == "inbox/stray.mp3"
    assert "inbox/<tenant>/" in refused["advice"]


def test_a_models_folder_that_may_not_be_written_is_named_and_blames_no_file(tmp_path):
    (tmp_path / "file").write_text("")
    escriba("add", MEDIA / "english-2-voices.mp3", cwd=tmp_path)

    done = escriba("run", cwd=tmp_path, MODELS_FOLDER=str(tmp_path / "file" / "models"))

    assert done.returncode == 2
    assert "MODELS_FOLDER" in done.stdout
    assert json.loads(escriba("status", "--json", cwd=tmp_path).stdout)["failed"] == []


def test_a_demo_in_the_place_of_a_file_is_refused(tmp_path):
    (tmp_path / "file").write_text("mine")

    done = escriba("demo", "--folder", "file", cwd=tmp_path)

    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert (tmp_path / "file").read_text() == "mine"
