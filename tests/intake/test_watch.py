"""Alerts on a real ledger, told to a real server: once when they begin, once when they are over."""

from decimal import Decimal

import pytest

from resources.backups.newest_backup import note_newest_backup
from tests.watched_house import House, told

TENANTS = "tenants:\n  acme: {budget: {day_usd: 2}, alert_channels: [theirs]}\n"


def test_high_failure_rate(house, ended, ear):
    ended(range(-5, 6), status="failed")
    ended(range(-5, 6))
    house.over(range(5))
    assert told(ear) == []  # it has not held for five minutes

    house.over(range(5, 8))
    assert told(ear) == ["HighFailureRate began"]
    assert "50% of attempts fail" in ear.messages[0][1]

    house.over(range(8, 20))
    assert told(ear) == ["HighFailureRate began", "HighFailureRate is over"]


def test_a_single_failure_is_no_high_failure_rate(house, ended, ear):
    ended([0], status="failed")
    house.over(range(12))
    assert told(ear) == []


def test_high_latency(house, ended, ear):
    ended(range(-9, 12), latency=301.0)
    house.over(range(10))
    assert told(ear) == []

    house.over(range(10, 30))
    assert told(ear) == ["HighLatency began", "HighLatency is over"]
    assert "5.0 minutes" in ear.messages[0][1]


def test_five_minutes_are_no_high_latency(house, ended, ear):
    ended(range(-9, 12), latency=300.0)
    house.over(range(0, 30, 5))
    assert told(ear) == []


def test_high_cost(house, ended, ear):
    ended([0], cost_usd=Decimal("2.01"))
    house.over([0, 29])
    assert told(ear) == []

    house.over([30, 59, 60])
    assert told(ear) == ["HighCost began", "HighCost is over"]
    assert "10.05 USD" in ear.messages[0][1]


def test_ten_dollars_an_hour_are_no_high_cost(house, ended, ear):
    ended([0], cost_usd=Decimal(2))
    house.over([0, 30, 59])
    assert told(ear) == []


def test_large_queue(house, ear):
    house.opens(1, claimed=True)
    house.over([0, 9], waiting=101)
    assert told(ear) == []

    house.look(10, waiting=101)
    house.look(11, waiting=100)
    assert told(ear) == ["LargeQueue began", "LargeQueue is over"]
    assert "101 recordings wait." in ear.messages[0][1]


def test_a_hundred_are_no_large_queue(house, ear):
    house.opens(1, claimed=True)
    house.over([0, 10, 20], waiting=100)
    assert told(ear) == []


def test_no_active_workers(house, ear):
    one = house.opens(1)
    house.over([0, 4])
    assert told(ear) == []

    house.look(5)
    assert told(ear) == ["NoActiveWorkers began"]

    house.storage.write(f"work/acme/jobs/{one.job}/claim-1.json", b"{}")
    house.over([6, 7])
    assert told(ear) == ["NoActiveWorkers began", "NoActiveWorkers is over"]


def test_without_work_nobody_needs_workers(house, ear):
    house.over([0, 5, 10])
    assert told(ear) == []


@pytest.mark.parametrize("limit", ["daily_cost_threshold", "monthly_cost_threshold"])
def test_a_limit_of_the_house(tmp_path, ear, limit):
    others = {"daily_cost_threshold": "none", "monthly_cost_threshold": "none"}
    house = House(tmp_path, ear, **others | {limit: "10"})
    house.spends("7.99")
    house.look(0)
    assert told(ear) == []

    house.spends("0.01", 2)
    house.look(0)
    house.spends("2", 3)
    house.look(0)
    assert told(ear) == ["BudgetNearlyUsed began", "BudgetReached began"]
    assert limit.upper() in ear.messages[1][1]

    house.settings = house.settings.model_copy(update={limit: None})
    house.over([0, 0])
    assert ear.messages[2][0] == "Escriba: 2 over"
    assert len(ear.messages) == 3


def test_a_tenants_limit_goes_to_its_own_channel_and_the_house(tmp_path, ear):
    (tmp_path / "tenants.yaml").write_text(TENANTS, encoding="utf-8")
    house = House(
        tmp_path,
        ear,
        tenants_file=tmp_path / "tenants.yaml",
        alert_channels=f"ops={ear.url}/ops theirs={ear.url}/theirs",
    )
    house.spends("1.7")
    house.over([0, 0])
    assert sorted(path for path, _ in ear.told) == ["/ops", "/theirs"]
    assert "BudgetNearlyUsed (acme)" in ear.messages[0][0]

    house.opens(7)
    house.over([0, 5])  # nobody works: no business of the tenant's
    assert [path for path, _ in ear.told[2:]] == ["/ops"]


def test_after_an_hour_without_a_transcript_somebody_is_told(house, ear):
    house.opens(1)
    house.look(59)
    assert "NothingProcessed" not in str(ear.messages)
    house.over([62, 63])
    assert "NothingProcessed: Recordings wait for 1.0 hours" in str(ear.messages)


def test_a_backup_that_is_two_days_old_is_missed(house, ear):
    house.over([0, 2 * 24 * 60])
    assert told(ear) == []  # a house that makes none is not told every day

    note_newest_backup(house.storage, "one", house.start)
    house.look(35 * 60)
    assert told(ear) == []
    house.over([37 * 60, 38 * 60])
    assert told(ear) == ["BackupMissing began"]
