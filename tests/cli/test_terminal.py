"""What somebody at a terminal sees."""

import contextlib
import os
import pty
import re
import subprocess
import sys

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


def in_terminal(*arguments, cwd, **environment):
    """What somebody at a terminal sees go by, colours apart."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "pipelines.cli", *arguments]
    settings = {"PYTHONPATH": str(HOUSE), "COLUMNS": "80", "TERM": "xterm-256color"}
    with subprocess.Popen(
        command, cwd=cwd, env=os.environ | settings | environment, stdout=theirs, stderr=theirs
    ):
        os.close(theirs)
        seen = b""
        with contextlib.suppress(OSError):  # Linux tells the end of a terminal so
            while chunk := os.read(ours, 65_536):
                seen += chunk
    os.close(ours)
    return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", seen.decode())
