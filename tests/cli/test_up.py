"""What `escriba up` does without its pages; with them: tests/ui."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import dagster as dg
import pytest
from click.testing import CliRunner

from cli import escriba
from cli.commands.up import check_login, check_name
from cli.processes.child_processes import _Beside, child_processes
from cli.processes.one_at_a_time import only_up
from cli.processes.process_reaper import _groups
from cli.runs.leftover_runs import end_leftovers
from cli.runs.run_recordings import open_instance
from escriba.settings import load_settings

HOUSE = Path(__file__).resolve().parents[2]
SLEEP = [sys.executable, "-c", "import time; print('here', flush=True); time.sleep(600)"]
AFTER_TWO = """
import pathlib, sys, time
while pathlib.Path(sys.argv[1]).read_text().count("no") < 2:
    time.sleep(0.05)
"""
WITH_A_CHILD = "import subprocess, sys; subprocess.run([sys.executable, '-c', *sys.argv[1:]])"


def ended(pid):
    """Whether nobody of that number is left; a zombie is nobody."""
    try:
        return "Z" in Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except OSError:
        return True


def until(true, seconds=60):
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.05)


@pytest.mark.parametrize("which", [0, 1])
def test_a_port_that_is_taken_is_a_sentence(tmp_path, free_port, which):
    port = free_port()
    with socket.create_server(("127.0.0.1", port + which)):
        done = subprocess.run(
            [sys.executable, "-m", "cli", "up", "--port", str(port)],
            env=os.environ | {"PYTHONPATH": str(HOUSE)},
            capture_output=True,
            text=True,
            check=False,
        )

    assert done.returncode == 2
    assert f"Cannot listen on 127.0.0.1:{port + which}" in done.stderr
    assert "Choose another --port" in done.stderr
    assert "Traceback" not in done.stderr


def up_said(*arguments, **settings):
    """What `escriba up` says instead of starting."""
    done = CliRunner().invoke(escriba, ["up", *arguments], env=settings)
    assert done.exit_code == 2, done.output
    return done.output


def test_other_machines_reach_the_pages_only_with_a_login(tmp_path):
    place = {"STORAGE_URL": tmp_path.as_uri(), "DAGSTER_HOME": str(tmp_path / "dagster")}
    for host in ("0.0.0.0", "192.168.1.7", "::", "escriba.example.com"):
        assert "UI_PASSWORD" in up_said("--host", host, **place)
    for ours in ("127.0.0.1", "127.0.0.9", "::1", "localhost"):
        check_login(load_settings(), ours)
    for login in (
        {"ui_password": "correct horse battery"},
        {"ui_trusted_user_header": "X-User", "ui_trusted_proxies": "10.0.0.0/8"},
        {"ui_without_login": True},
    ):
        check_login(load_settings(**login), "0.0.0.0")


def test_a_name_to_listen_on_must_be_one_that_the_pages_answer_to(tmp_path):
    place = {"STORAGE_URL": tmp_path.as_uri(), "DAGSTER_HOME": str(tmp_path / "dagster")}
    login = {"UI_PASSWORD": "correct horse battery", "UI_HOSTS": "other.example.com"}
    said = up_said("--host", "escriba.example.com", **place, **login)
    assert "--host escriba.example.com is a name: add it to UI_HOSTS." in " ".join(said.split())
    for host in ("Escriba.example.com", "localhost", "0.0.0.0", "::"):
        check_name(load_settings(ui_hosts="a.example, escriba.example.com"), host)


def test_a_second_one_on_the_same_home_is_told_of_the_first(tmp_path):
    home = tmp_path / "dagster"
    home.mkdir()
    place = {"STORAGE_URL": tmp_path.as_uri(), "DAGSTER_HOME": str(home)}
    script = (
        "import pathlib, time\n"
        "from cli.processes.one_at_a_time import only_up\n"
        f"with only_up(pathlib.Path({str(home)!r}), 4321):\n"
        "    print('here', flush=True); time.sleep(600)"
    )
    command = [sys.executable, "-c", script]
    environment = os.environ | {"PYTHONPATH": str(HOUSE)}
    holder = subprocess.Popen(command, stdout=subprocess.PIPE, env=environment)
    assert holder.stdout.readline() == b"here\n"

    said = " ".join(up_said(**place).split())
    assert f"process {holder.pid}, port 4321" in said
    assert str(home) in said.replace(" ", "")

    holder.kill()  # no chance to tidy up
    holder.wait()
    holder.stdout.close()
    with only_up(home, 1):
        pass


def test_all_end_with_the_block_and_so_does_what_they_started(tmp_path):
    with child_processes(os.environ, tmp_path) as children:
        children.start("the eldest", SLEEP)
        children.start("a parent", [sys.executable, "-c", WITH_A_CHILD, SLEEP[-1]])
        until(lambda: "here" in children.last_output("a parent"))
        assert children.exited() is None
        family = [child.pid for child in children._children.values()]
        family += [int(pid) for pid in descendants(family[1])]

    assert len(family) == 3
    until(lambda: all(map(ended, family)))


def descendants(pid):
    return Path(f"/proc/{pid}/task/{pid}/children").read_text().split()


def test_one_that_ends_is_told_with_what_it_said_last(tmp_path):
    with child_processes(os.environ, tmp_path) as children:
        children.start("daemon", [sys.executable, "-c", "print('no room left')"])

        assert children.wait() == "daemon"
        assert children.last_output("daemon") == "no room left"


def test_one_that_is_not_needed_ends_nothing_and_is_started_again(tmp_path, monkeypatch):
    monkeypatch.setattr(_Beside.__init__, "__defaults__", (None, 0.0))
    told = []
    with child_processes(os.environ, tmp_path) as children:
        children.start_beside("metrics", [sys.executable, "-c", "print('no metrics')"])
        until(lambda: children._ended() == ["metrics"])
        assert children.exited() is None

        children.start("daemon", [sys.executable, "-c", AFTER_TWO, str(children.log("metrics"))])
        assert children.wait(told.append) == "daemon"
        assert told[0] == "metrics"
        assert "no metrics\nno metrics" in children.last_output("metrics")


def test_the_number_of_one_that_ended_is_nobodys_to_stop():
    assert _groups([11, 12, -11, 13]) == [12, 13]


def test_children_end_when_their_parent_is_killed(tmp_path, monkeypatch):
    script = tmp_path / "parent.py"
    script.write_text(
        "import os, sys, time\nfrom pathlib import Path\n"
        "from cli.processes.child_processes import child_processes\n"
        f"with child_processes(os.environ, Path({str(tmp_path)!r})) as children:\n"
        f"    children.start('one', [sys.executable, '-c', {SLEEP[-1]!r}])\n"
        "    print(*(child.pid for child in children._children.values()), flush=True)\n"
        "    time.sleep(600)\n"
    )
    parent = subprocess.Popen(
        [sys.executable, str(script)],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": str(HOUSE)},
    )
    child = int(parent.stdout.readline())
    assert not ended(child)

    parent.send_signal(signal.SIGKILL)
    parent.wait()
    parent.stdout.close()

    until(lambda: ended(child))


@pytest.fixture
def settings(tmp_path):
    return load_settings(dagster_home=tmp_path / "dagster")


def began(instance, socket_path):
    """A run that an `escriba up` with this socket had begun."""
    job = dg.GraphDefinition("a_job").to_job()
    tags = {".dagster/grpc_info": f'{{"host": "localhost", "socket": "{socket_path}"}}'}
    run = instance.create_run_for_job(job, tags=tags, status=dg.DagsterRunStatus.STARTED)
    return run.run_id


def test_runs_of_an_earlier_start_are_ended_and_those_of_a_living_one_are_not(tmp_path, settings):
    with socket.socket(socket.AF_UNIX) as living:
        living.bind(str(tmp_path / "living"))
        living.listen()
        (tmp_path / "dead").touch()
        with open_instance(settings) as instance:
            gone = began(instance, tmp_path / "gone")
            dead = began(instance, tmp_path / "dead")
            alive = began(instance, tmp_path / "living")

        assert end_leftovers(settings) == 2

    with open_instance(settings) as instance:
        status = {run.run_id: run.status for run in instance.get_runs()}
    assert status[gone] == status[dead] == dg.DagsterRunStatus.FAILURE
    assert status[alive] == dg.DagsterRunStatus.STARTED
