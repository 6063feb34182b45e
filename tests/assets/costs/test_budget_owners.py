"""Who answers for a budget is told by a real mail server when it runs out."""

import email
import re
from datetime import date
from decimal import Decimal
from email import policy
from types import SimpleNamespace

import pytest

from assets.costs.budget_alerts import mail_owners
from assets.costs.cost_report import publish_report
from escriba.billing.budget_burn import Level
from escriba.billing.permissions import SpendLimits
from escriba.reports.periods import last_days
from escriba.settings import SettingsError, load_settings
from intake.cost_limits import budget_owners
from intake.tenants import tenant_permission
from tests.mailbox import Inbox, started

REACHED = Level(
    "the monthly budget of acme",
    "acme",
    "2026-03",
    "stop",
    Decimal(6),
    Decimal(-1),
    "the monthly budget of acme: 6.00 of 5.00 USD, nothing left, this month.",
)
TENANTS = "tenants:\n  acme: {budget: {month_usd: 5, owners: [dean@example.org, b@example.org]}}\n"


@pytest.fixture
def house(tmp_path, free_port):
    """Settings with owners and a mail server; what it was given."""
    inbox = Inbox()
    controller, mail = started(inbox, free_port())
    (tmp_path / "tenants.yaml").write_text(TENANTS, encoding="utf-8")
    settings = load_settings(
        tenants_file=tmp_path / "tenants.yaml",
        budget_owners="boss@example.org",
        **mail,
    )
    yield SimpleNamespace(settings=settings, inbox=inbox)
    controller.stop()


def test_the_house_and_each_tenant_have_their_own(house):
    assert budget_owners(house.settings) == {
        "all": ("boss@example.org",),
        "acme": ("dean@example.org", "b@example.org"),
    }


def test_owners_are_no_part_of_what_may_be_spent(house):
    permission = tenant_permission(house.settings.tenants_file, "acme")

    assert permission.budget == SpendLimits(month_usd=Decimal(5))


def test_they_get_a_letter_that_says_what_is_used_up_and_what_now(house):
    assert mail_owners(house.settings, REACHED, ("dean@example.org", "b@example.org")) == ""

    [(to, content)] = house.inbox.letters
    letter = email.message_from_bytes(content, policy=policy.default)
    assert to == ["dean@example.org", "b@example.org"]
    assert letter["Subject"] == "Escriba: the monthly budget of acme is reached"
    assert letter.get_content().startswith(REACHED.sentence)
    assert "New work is deferred" in letter.get_content()


def test_where_nobody_is_named_nobody_is_told(house):
    assert mail_owners(house.settings, REACHED, ()) == ""
    assert house.inbox.letters == []


def test_a_letter_that_cannot_be_sent_is_told_of(house):
    alone = load_settings(tenants_file=house.settings.tenants_file)
    assert "Set SMTP_HOST and REPORT_MAIL_FROM" in mail_owners(
        alone, REACHED, ("dean@example.org",)
    )


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ("budget: {owners: [dean]}", "'dean' is not a mail address"),
        ("statement_mail_to: [dean]", "'dean' is not a mail address"),
        ("statement_mail_to: dean@example.org", "must be a list"),
        ("cost_center: 4100", "put it in quotes"),
        ("charge: {markup: 0.1, usd_per_audio_hour: 1}", "or markup, not both"),
        ("charge: {price: 1}", "known are usd_per_audio_hour, markup"),
        ("paths: [{project: x}]", "'paths.0.match': it is missing"),
        ("paths: [{match: '[a', project: x}]", "is not a pattern such as"),
    ],
)
def test_a_wrong_line_of_finance_is_told_with_its_key(tmp_path, lines, said):
    path = tmp_path / "tenants.yaml"
    path.write_text(f"tenants:\n  acme: {{{lines}}}\n", encoding="utf-8")

    with pytest.raises(SettingsError, match=r"tenants\.yaml, tenant 'acme'") as told:
        tenant_permission(path, "acme")
    assert said in str(told.value)


def test_the_reports_budget_table_names_them(costs, attempt, house):
    """Of acme's budget and of the house's; beta has none, and nobody who answers for it."""
    others = {"attempt_id": "beta:b:1", "tenant": "beta", "recording": "beta/b.mp3"}
    costs.write(attempt("a", ran=200.0), attempt("b", **others))
    told = {"tenants_file": house.settings.tenants_file, "budget_owners": "boss@example.org"}
    settings = costs.settings.model_copy(update=told)
    periods = last_days(10, date(2026, 3, 20))

    published = publish_report(settings, costs.storage, "2026-03-19", periods)

    page = costs.storage.read(published.key).decode()
    table = re.search(r"<caption>The month 2026-03</caption>.*?</table>", page, re.DOTALL).group()
    rows = [
        (re.search(r'<th scope="row">(.*?)<', row).group(1), re.findall("Owners.>(.*?)<", row))
        for row in table.split("<tr>")[2:]
    ]
    assert rows == [
        ("All tenants", ["boss@example.org"]),
        ("acme", ["dean@example.org, b@example.org"]),
        ("beta", ["none"]),
    ]


def test_owners_of_the_house_need_a_mail_server():
    with pytest.raises(SettingsError, match="BUDGET_OWNERS needs REPORT_MAIL_FROM and SMTP_HOST"):
        load_settings(budget_owners="boss@example.org")
