"""Alerts arrive once, whatever is killed, down, stuck or quiet."""

from datetime import timedelta

import pytest

from escriba.alerts.channels import Channel
from escriba.alerts.episodes import Notice
from intake.watch import Watch
from resources.alerts.alert_store import leave_notice, read_state
from resources.spending.spent_days import SPENT
from resources.storage.clock import utc_now
from tests.alert_ear import listening
from tests.watched_house import House, told


def raising(error):
    def call(*_):
        raise error

    return call


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

    with monkeypatch.context() as patch:
        patch.setattr("resources.alerts.deliver._send_all", raising(KeyboardInterrupt))
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


def test_what_may_have_arrived_long_ago_still_says_so(house, ear, monkeypatch):
    house.opens(1)
    house.look(0)
    with monkeypatch.context() as patch:
        patch.setattr("resources.alerts.deliver._send_all", raising(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            house.look(5)
    ear.status = 503
    house.look(6)
    ear.status = 200
    house.look(9)
    [(_, body)] = ear.messages
    assert "may have been sent before" in body


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


def test_a_channel_that_breaks_its_client_holds_up_no_other(tmp_path, ear, monkeypatch):
    house = House(tmp_path, ear, alert_channels=f"bad={ear.url}/bad ops={ear.url}/ops")
    real = Channel.host.fget
    broken = property(lambda one: 1 / (one.name != "bad") and real(one))
    monkeypatch.setattr(Channel, "host", broken)
    house.opens(1)
    house.over(range(9))

    assert [path for path, _ in ear.told] == ["/ops"]  # not once a minute
    assert "ZeroDivisionError" in read_state(house.storage).channels["bad"].error


def test_a_look_reads_and_lists_only_what_was_written_lately(house, ended, monkeypatch):
    with monkeypatch.context() as patch:
        yesterday = house.start - timedelta(days=1)
        patch.setattr("resources.ledger.writer.utc_now", lambda: yesterday)
        ended([0])
    ended([0, 1])
    read, original = [], house.storage.read
    monkeypatch.setattr(
        house.storage, "read", lambda key, *more: (read.append(key), original(key, *more))[1]
    )
    house.over([1, 2])
    assert len([key for key in read if key.startswith("ledger/attempts/")]) == 2


def test_a_look_that_is_not_over_is_left_alone(house, ear):
    house.opens(1)
    house.look(0)
    with house.watch.looking:
        assert "not over" in house.look(5)
    assert told(ear) == []
    house.look(5)
    assert told(ear) == ["NoActiveWorkers began"]


def test_a_look_lists_only_what_was_spent_lately(house, monkeypatch):
    house.start = utc_now().replace(day=15)  # in the middle of a month
    listed, original = [], house.storage.list
    monkeypatch.setattr(
        house.storage, "list", lambda *of: (listed.append((*of, "")[:2]), original(*of))[1]
    )
    house.look(0)
    house.look(1)
    month = f"{SPENT}{house.start:%Y-%m}/"
    *_, last = (after for folder, after in listed if folder == month)
    assert last > f"{month}14"
