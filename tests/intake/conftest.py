"""A house that somebody looks at, and a server that listens to its alerts."""

from dataclasses import replace
from datetime import timedelta

import pytest

from resources.ledger.writer import write_rows
from tests.alert_ear import listening
from tests.watched_house import House


@pytest.fixture
def ear():
    with listening() as one:
        yield one


@pytest.fixture
def house(tmp_path, ear):
    return House(tmp_path, ear)


@pytest.fixture
def ended(house, attempt):
    """Writes attempts that ended some minutes after the start, five of each."""

    def write(minutes, *, latency=30.0, **changes):
        for minute in minutes:
            end = house.start + timedelta(minutes=minute)
            rows = [
                replace(
                    attempt(f"{minute}-{one}", started_at=end - timedelta(seconds=20), **changes),
                    ended_at=end,
                    queued_at=end - timedelta(seconds=latency),
                )
                for one in range(5)
            ]
            write_rows(house.storage, rows)

    return write
