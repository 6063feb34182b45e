"""Alerts on a real ledger, told to a real server: once when they begin, once when they are over."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from escriba.alerts.episodes import Notice
from escriba.billing.attempt_times import AttemptTimes
from escriba.settings import load_settings
from intake.watch import Watch
from resources.alerts.alert_store import leave_notice, read_state
from resources.backups.newest_backup import note_newest_backup
from resources.ledger.writer import write_rows
from resources.spending.reservations import Reservation, Spending
from resources.storage import open_storage
from resources.storage.clock import utc_now
from tests.alert_ear import listening

TENANTS = "tenants:\n  acme: {budget: {day_usd: 2}, alert_channels: [theirs]}\n"


@pytest.fixture
def ear():
    with listening() as one:
        yield one


class House:
    """A bucket that somebody looks at, minute by minute."""

    def __init__(self, tmp_path, ear, **changes):
        usual = {
            "storage_url": (tmp_path / "bucket").as_uri(),
            "alert_channels": f"ops={ear.url}/ops",
        }
        self.settings = load_settings(**usual | changes)
        self.storage = open_storage(self.settings)
        self.start, self.watch = utc_now(), Watch()

    def look(self, minute, waiting=0):
        now = self.start + timedelta(minutes=minute)
        return self.watch.look(self.settings, self.storage, waiting, now)

    def over(self, minutes, **named):
        for minute in minutes:
            self.look(minute, **named)

    def opens(self, number, *, claimed=False):
        job = f"{number:064x}"
        one = Reservation("acme", job, 1, "00", Decimal("0.01"), "runpod")
        Spending(self.storage).reserve(one)
        if claimed:
            self.storage.write(f"work/acme/jobs/{job}/claim-1.json", b"{}")
        return one

    def spends(self, usd, number=1):
        now = utc_now()
        times = AttemptTimes(
            "acme", "runpod", "l4", "done", now, now, now, timedelta(0), Decimal(usd)
        )
        one = Reservation("acme", f"{number:064x}", 1, "00", Decimal(usd), "runpod")
        Spending(self.storage).settle(one, times, now)


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


def told(ear):
    """The titles, without the common word."""
    return [title.removeprefix("Escriba: ") for title, _ in ear.messages]


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


def test_another_process_goes_on_where_one_was_killed(house, ear):
    house.opens(1)
    house.over([0, 4])
    house.watch = Watch()
    house.over([5, 6])
    house.watch = Watch()
    house.look(7)
    assert told(ear) == ["NoActiveWorkers began"]


def test_what_was_being_sent_at_a_kill_is_sent_again_and_says_so(house, ear, monkeypatch):
    house.opens(1)
    house.look(0)

    def killed(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("resources.alerts.deliver._send_all", killed)
        with pytest.raises(KeyboardInterrupt):
            house.look(5)
    house.over([6, 7])
    [(title, body)] = ear.messages
    assert title == "Escriba: NoActiveWorkers began"
    assert "may have been sent before" in body


def test_a_channel_that_is_down_is_tried_less_and_less_and_loses_nothing(house, ear):
    ear.status = 503
    house.opens(1)
    house.over([0, 5])
    [name] = read_state(house.storage).channels
    failures = []
    for minute in range(6, 22):
        house.look(minute)
        failures.append(read_state(house.storage).channels[name].failures)
    assert failures[-1] == 5  # after 1, 2, 4 and 8 minutes, not sixteen times
    assert "has not answered since" in house.look(22)

    ear.status = 200
    house.look(60)
    assert told(ear) == ["NoActiveWorkers began"]
    assert read_state(house.storage).channels[name].down_since is None


def test_a_channel_that_hangs_holds_up_no_other(tmp_path, ear, monkeypatch):
    monkeypatch.setattr(
        "resources.alerts.deliver.deliver.__kwdefaults__", {"patience_seconds": 2.0}
    )
    with listening() as stuck:
        stuck.go_on.clear()
        house = House(tmp_path, ear, alert_channels=f"ops={ear.url} stuck={stuck.url}")
        house.opens(1)
        house.over([0, 5])
        state = read_state(house.storage)
    assert told(ear) == ["NoActiveWorkers began"]
    assert state.channels["ops"].queue == ()
    assert state.channels["stuck"].error == "It did not answer in time."


def test_quiet_hours_hold_back_what_is_not_critical(tmp_path, ear):
    local = utc_now()
    hours = f"{local - timedelta(hours=1):%H:%M}-{local + timedelta(minutes=30):%H:%M}"
    house = House(tmp_path, ear, alert_quiet_hours=hours, nightly_timezone="UTC")
    house.opens(1, claimed=True)
    house.over([0, 10], waiting=101)
    assert told(ear) == []

    house.storage.delete(f"work/acme/jobs/{1:064x}/claim-1.json")
    house.over([11, 16], waiting=101)
    assert told(ear) == ["NoActiveWorkers began"]

    house.look(40, waiting=101)
    assert told(ear)[1:] == ["LargeQueue began"]


def test_where_alertmanager_decides_escriba_sends_digests_alone(tmp_path, ear):
    house = House(tmp_path, ear, alert_rules="alertmanager")
    house.opens(1)
    digest = Notice(
        id="digest-2026-03-10",
        kind="digest",
        severity="info",
        title="night of 2026-03-10",
        text="12 done",
        at=house.start,
    )
    leave_notice(house.storage, digest)
    house.over([0, 5, 10])
    leave_notice(house.storage, digest)  # the digest is written again
    house.look(11)
    assert told(ear) == ["night of 2026-03-10"]
    assert list(house.storage.list("alerts/outbox/")) == []
