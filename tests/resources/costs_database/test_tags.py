"""Cost centers and projects: of the tenant, of a path, of one recording; as they are said now."""

from dataclasses import astuple
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from escriba.billing.cost_tags import TagRule, Tags
from escriba.recordings import Recording
from intake.tenants import tag_rules
from resources.costs_database.load_ledger import load_ledger
from resources.ledger.recording_tags import tag_recordings

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
TENANTS = """\
tenants:
  acme:
    cost_center: "100"
    paths:
      - {match: "court/*", cost_center: "200", project: hearings}
      - {match: "*/2026/*", project: archive}
  beta: {project: lectures}
"""


@pytest.fixture
def tenants(tmp_path):
    path = tmp_path / "tenants.yaml"
    path.write_text(TENANTS, encoding="utf-8")
    return path


@pytest.fixture
def fleet(costs, attempt, session, bill, tenants):
    """Five recordings of acme, one each of two others; a storage bill; built with the tags."""

    def one(name, tenant="acme", **changes):
        return attempt(name, tenant=tenant, attempt_id=f"{tenant}:{name}:1", **changes)

    names = ("plain.mp3", "court/a.mp3", "court/2026/b.mp3", "x/2026/c.mp3")
    rows = [one(name, recording=f"acme/{name}") for name in names]
    failed = one("d.mp3", recording="acme/d.mp3", status="failed", rtf=None)
    others = [one("e", "beta", recording="beta/e.mp3"), one("f", "gamma", recording="gamma/f.mp3")]
    costs.write(*rows, failed, *others, session(rows[0]), bill("runpod", "0.05", "storage"))

    def build(rules=None):
        found = tag_rules(tenants) if rules is None else rules
        load_ledger(costs.storage, costs.settings.costs_database, {}, found)
        return costs.build()

    costs.rebuild = build
    build()
    return costs


def tags_of(fleet):
    found = fleet.ask("SELECT recording, cost_center, project FROM marts.recording_tags")
    return {recording: (center, project) for recording, center, project in found}


def test_the_first_path_that_fits_holds_for_each_tag_and_then_the_tenant(fleet):
    assert tags_of(fleet) == {
        "acme/plain.mp3": ("100", ""),
        "acme/court/a.mp3": ("200", "hearings"),
        "acme/court/2026/b.mp3": ("200", "hearings"),
        "acme/x/2026/c.mp3": ("100", "archive"),
        "acme/d.mp3": ("100", ""),
        "beta/e.mp3": ("", "lectures"),
    }


def test_what_is_said_of_a_recording_holds_before_all_and_the_last_word_wins(fleet):
    said = [
        (Recording("acme", "plain.mp3"), Tags(cost_center="900", project="old"), 0),
        (Recording("acme", "plain.mp3"), Tags(project="special"), 1),
        (Recording("gamma", "f.mp3"), Tags(project="gift"), 0),
    ]
    for recording, tags, hours in said:
        tag_recordings(fleet.storage, [recording], tags, NOON + timedelta(hours=hours))
    fleet.rebuild()

    found = tags_of(fleet)
    assert found["acme/plain.mp3"] == ("100", "special")
    assert found["gamma/f.mp3"] == ("", "gift")


def test_money_moves_with_the_tags_and_none_of_it_is_lost(fleet):
    """Worked by hand: a job is 100 s at 0.00019; a boot of 60 s and 5 s of idle are 0.01235."""
    by_center = "SELECT cost_center, sum(cost_usd) FROM marts.spend_by_tag GROUP BY 1"
    job, life = Decimal("0.019"), Decimal("0.01235")
    before = {"100": 3 * job + life, "200": 2 * job, "": 2 * job + Decimal("0.05")}
    assert dict(fleet.ask(by_center)) == before

    fleet.rebuild([TagRule("acme", 0, None, "300", None)])

    assert dict(fleet.ask(by_center)) == {
        "300": 5 * job + life,
        "": 2 * job + Decimal("0.05"),
    }


def test_failed_work_has_the_tags_of_its_recording(fleet):
    found = fleet.ask(
        "SELECT cost_center, attempts, cost_usd FROM marts.spend_by_tag "
        "WHERE category = 'failed_run'"
    )

    assert found == [("100", 1, Decimal("0.019"))]


def test_rules_come_in_the_order_in_which_they_are_tried(tenants):
    assert [astuple(rule) for rule in tag_rules(tenants)] == [
        ("acme", 0, "court/*", "200", "hearings"),
        ("acme", 1, "*/2026/*", None, "archive"),
        ("acme", 2, None, "100", None),
        ("beta", 0, None, None, "lectures"),
    ]


def test_a_load_without_rules_keeps_those_of_before(fleet):
    before = fleet.ask("FROM ledger.tag_rules ORDER BY ALL")
    fleet.load()

    assert fleet.ask("FROM ledger.tag_rules ORDER BY ALL") == before
