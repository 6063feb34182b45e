"""`python -m cli.processes.health_probe PART`: for an engine of containers; exit status 0 or 1.

It imports nothing of Dagster, so that a probe each half minute costs a quarter of a second: the
pages answer, the code location listens, the daemon wrote its heartbeat within five minutes.
"""

import argparse
import socket
import sys
from http import HTTPStatus
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

from escriba.settings import load_settings

_SECONDS = 5
_BEATS = """
    SELECT daemon_type FROM daemon_heartbeats
    WHERE timestamp > (now() AT TIME ZONE 'utc') - interval '5 minutes'
"""
_NEEDED = {"SENSOR", "SCHEDULER", "QUEUED_RUN_COORDINATOR"}


class UnhealthyError(Exception):
    """What is wrong."""


def main() -> int:
    """Entry point."""
    arguments = parser().parse_args()
    try:
        if arguments.part == "page":
            check_page(arguments.url)
        elif arguments.part == "code":
            check_socket(arguments.socket)
        else:
            check_daemon(load_settings().dagster_postgres_url.get_secret_value())
    except (UnhealthyError, OSError) as error:
        sys.stdout.write(f"unhealthy: {error}\n")
        return 1
    sys.stdout.write("healthy\n")
    return 0


def parser() -> argparse.ArgumentParser:
    """The command line."""
    found = argparse.ArgumentParser(description=__doc__)
    found.add_argument("part", choices=["page", "code", "daemon"])
    found.add_argument("--url", default="http://127.0.0.1:3000/server_info", help="Of a page.")
    found.add_argument("--socket", type=Path, default=Path("code.sock"), help="Of the code.")
    return found


def check_page(url: str) -> None:
    """A page answers; that it asks for a login or a token is an answer."""
    try:
        with urlopen(url, timeout=_SECONDS):  # noqa: S310  # this container's own page
            return
    except HTTPError as error:
        if error.code != HTTPStatus.UNAUTHORIZED:
            raise UnhealthyError(f"{url} answered {error.code}") from None


def check_socket(path: Path) -> None:
    """The code location listens on its socket."""
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(_SECONDS)
        probe.connect(str(path))


def check_daemon(database: str) -> None:
    """Sensors, schedules and queue have beaten within five minutes."""
    import psycopg2  # the other parts do not need it

    try:
        with psycopg2.connect(database, connect_timeout=_SECONDS) as connection:
            cursor = connection.cursor()
            cursor.execute(_BEATS)
            beating = {row[0] for row in cursor.fetchall()}
    except psycopg2.Error as error:
        raise UnhealthyError(f"PostgreSQL: {type(error).__name__}") from None
    if missing := _NEEDED - beating:
        raise UnhealthyError(f"no heartbeat for five minutes: {', '.join(sorted(missing))}")


if __name__ == "__main__":
    sys.exit(main())
