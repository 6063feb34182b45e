"""What somebody at a terminal sees."""

import contextlib
import os
import pty
import re
import subprocess
import sys

import pytest

from .conftest import HOUSE, MEDIA, escriba


def test_a_terminal_sees_bars_and_a_status(tmp_path):
    home = {"STORAGE_URL": (tmp_path / "bucket").as_uri(), "DEFAULT_LANGUAGE": "auto"}
    (tmp_path / "notes.mp3").write_text("no audio")
    escriba("add", MEDIA / "english-2-voices.mp3", tmp_path / "notes.mp3", cwd=tmp_path, **home)

    shown = in_terminal("run", cwd=tmp_path, **home)
    status = in_terminal("status", cwd=tmp_path, **home)
    retried = in_terminal("retry", "notes.mp3", cwd=tmp_path, **home)

    assert "all recordings" in shown
    assert "transcribing english-2-voices" in shown
    assert "2 of 2 recordings" in shown
    assert re.search(r"done +1\b", status)
    assert "default/notes.mp3" in status
    assert "0 of 1 recordings done" in retried


@pytest.fixture
def two_talks(tmp_path):
    """Two recordings of one name, each with its transcript; the settings of their bucket."""
    for tenant in ("acme", "law"):
        for key in (f"inbox/{tenant}/talk.mp3", f"transcripts/{tenant}/talk.mp3/transcript.txt"):
            path = tmp_path / "bucket" / key
            path.parent.mkdir(parents=True)
            path.write_text(f"[0:00:00] said at {tenant}\n")
    return {"STORAGE_URL": (tmp_path / "bucket").as_uri()}


def test_a_terminal_is_asked_which_of_several_recordings_is_meant(tmp_path, two_talks):
    shown = in_terminal("show", "talk.mp3", cwd=tmp_path, answer="7\n2\n", **two_talks)

    assert re.search(r"1 +acme/talk.mp3\s+2 +law/talk.mp3", shown)
    assert "7 is not in the range" in shown
    assert "said at law" in shown
    assert "said at acme" not in shown


def test_elsewhere_the_candidates_are_named(tmp_path, two_talks):
    unclear = escriba("show", "talk.mp3", cwd=tmp_path, **two_talks)
    clear = escriba("show", "law/talk.mp3", cwd=tmp_path, **two_talks)

    assert unclear.returncode == 2
    assert "acme/talk.mp3, law/talk.mp3" in unclear.stderr
    assert (clear.stdout, clear.returncode) == ("[0:00:00] said at law\n", 0)
    assert "law/talk.mp3" in clear.stderr


def in_terminal(*arguments, cwd, answer="", **environment):
    """What somebody at a terminal sees go by, colours apart; `answer`: what is typed there."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "cli", *arguments]
    settings = {"PYTHONPATH": str(HOUSE), "COLUMNS": "80", "TERM": "xterm-256color"}
    with subprocess.Popen(
        command,
        cwd=cwd,
        env=os.environ | settings | environment,
        stdin=theirs if answer else None,
        stdout=theirs,
        stderr=theirs,
    ):
        os.close(theirs)
        os.write(ours, answer.encode())
        seen = b""
        with contextlib.suppress(OSError):  # Linux tells the end of a terminal so
            while chunk := os.read(ours, 65_536):
                seen += chunk
    os.close(ours)
    return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", seen.decode())
