"""What an engine of containers is told of each part of Escriba."""

import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import psycopg2
import pytest

from cli.processes.health_probe import UnhealthyError, check_daemon, check_page, check_socket
from tests.loopback import Answering

TABLE = "CREATE TABLE daemon_heartbeats (daemon_type text, timestamp timestamp)"
BEAT = """
    INSERT INTO daemon_heartbeats VALUES (%s, now() AT TIME ZONE 'utc' - %s * interval '1 second')
"""


class Page(Answering, BaseHTTPRequestHandler):
    """Answers with the status in its path."""

    def do_GET(self):
        self.answer(int(self.path[1:]))


@pytest.fixture
def page():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Page)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def beats(postgres_url):
    """Writes heartbeats, so many seconds old."""

    def write(**ages):
        with psycopg2.connect(postgres_url) as connection:
            cursor = connection.cursor()
            cursor.execute(TABLE)
            cursor.executemany(BEAT, list(ages.items()))
        return postgres_url

    return write


@pytest.mark.parametrize("status", [200, 401])
def test_a_page_that_answers_or_asks_for_a_login_is_healthy(page, status):
    check_page(f"{page}/{status}")


@pytest.mark.parametrize("status", [421, 500])
def test_a_page_with_an_error_is_not(page, status):
    with pytest.raises(UnhealthyError, match=f"answered {status}"):
        check_page(f"{page}/{status}")


def test_a_socket_on_which_nobody_listens_is_not(tmp_path):
    path = tmp_path / "code.sock"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        server.listen()
        check_socket(path)
    with pytest.raises(ConnectionRefusedError):
        check_socket(path)


def test_a_daemon_that_beats_is_healthy(beats):
    check_daemon(beats(SENSOR=3, SCHEDULER=290, QUEUED_RUN_COORDINATOR=10))


def test_a_daemon_with_a_silent_part_is_not_and_the_part_is_named(beats):
    database = beats(SENSOR=310, SCHEDULER=3, QUEUED_RUN_COORDINATOR=3)

    with pytest.raises(UnhealthyError, match=r"no heartbeat for five minutes: SENSOR$"):
        check_daemon(database)


def test_a_database_that_is_away_is_not_healthy_and_its_password_is_not_shown():
    with pytest.raises(UnhealthyError) as caught:
        check_daemon("postgresql://escriba:hunter2hunter2@127.0.0.1:1/dagster")

    assert "hunter2" not in str(caught.value)
