"""`escriba serve`: the parts of `escriba up`, each in place of its own process."""

import json
import os
from pathlib import Path

import pytest
from click.testing import CliRunner

from cli import escriba
from cli.processes.part_environment import part_environment
from escriba.settings import load_settings

PASSWORD = "a password of the pages"


@pytest.fixture
def started(tmp_path, monkeypatch):
    """What would run in place of this process, and with which environment."""
    found = []
    monkeypatch.setattr(os, "execve", lambda *arguments: found.append(arguments))
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "home"))
    (tmp_path / "password").write_text(PASSWORD)
    (tmp_path / "key").write_text("rpa_from-a-file")
    monkeypatch.setenv("UI_PASSWORD_FILE", str(tmp_path / "password"))
    monkeypatch.setenv("RUNPOD_API_KEY_FILE", str(tmp_path / "key"))

    def start(*arguments):
        done = CliRunner().invoke(escriba, ["serve", *arguments], catch_exceptions=False)
        return (found[-1] if found else None), done

    return start


@pytest.mark.parametrize(
    ("part", "module"), [("ui", "api.dagster_ui"), ("files", "api.files_page")]
)
def test_a_page_gets_its_address_and_the_password_from_its_file(started, part, module):
    (_, command, environment), _ = started(part, "--host", "0.0.0.0")

    assert module in command
    assert command[command.index("--host") + 1] == "0.0.0.0"
    assert command[command.index("--port") + 1] == {"ui": "3000", "files": "3001"}[part]
    assert environment["UI_PASSWORD"] == PASSWORD


def test_the_daemon_gets_keys_from_their_files_and_never_the_password(started):
    (_, command, environment), _ = started("daemon")

    assert "dagster._daemon" in command
    assert environment["RUNPOD_API_KEY"] == "rpa_from-a-file"
    assert PASSWORD not in environment.values()
    assert not {"UI_PASSWORD_FILE", "RUNPOD_API_KEY_FILE"} & set(environment)


@pytest.mark.parametrize("part", ["daemon", "ui"])
def test_daemon_and_ui_find_the_code_location_at_the_socket(started, tmp_path, part):
    (_, command, _), _ = started(part, "--socket", str(tmp_path / "code.sock"))

    named = command[command.index("-w" if part == "daemon" else "--workspace") + 1]
    [origin] = json.loads(Path(named).read_text())["load_from"]
    assert origin["grpc_server"]["socket"] == str(tmp_path / "code.sock")


def test_a_page_that_others_reach_needs_a_login(started, monkeypatch):
    monkeypatch.delenv("UI_PASSWORD_FILE")
    found, done = started("ui", "--host", "0.0.0.0")

    assert found is None
    assert done.exit_code != 0


def test_the_code_location_starts_after_a_killed_one_left_its_socket(
    started, tmp_path, monkeypatch
):
    monkeypatch.setenv("MODEL", "demo")
    path = tmp_path / "run" / "code.sock"
    path.parent.mkdir()
    path.touch()

    (_, command, environment), _ = started("code", "--socket", str(path))

    assert command[command.index("-s") + 1] == str(path)
    assert not path.exists()
    assert (Path(environment["DAGSTER_HOME"]) / "dagster.yaml").exists()


def test_the_database_of_a_file_reaches_dagster_by_its_variable(tmp_path, monkeypatch):
    (tmp_path / "url").write_text("postgresql://escriba:secret@db/dagster\n")
    monkeypatch.setenv("DAGSTER_POSTGRES_URL_FILE", str(tmp_path / "url"))
    monkeypatch.delenv("DAGSTER_POSTGRES_URL", raising=False)
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "home"))

    environment = part_environment(load_settings(), "http://127.0.0.1:3001")

    assert environment["DAGSTER_POSTGRES_URL"] == "postgresql://escriba:secret@db/dagster"
