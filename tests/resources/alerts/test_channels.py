"""What each service gets, what nobody gets to see, and what `escriba alert` says."""

import json

import pytest
import requests
from click.testing import CliRunner

from cli import escriba
from escriba.alerts.channels import read_channels
from escriba.alerts.episodes import Notice
from escriba.known_secrets import masked
from escriba.settings import SettingsError, load_settings
from resources.alerts.send_message import send_notices
from resources.storage.clock import utc_now
from tests.alert_ear import listening
from tests.mailbox import Inbox, started

TOKEN = "TIiajkdnlazkcOXrIdevi7FQ"
SLACK = f"https://hooks.slack.com/services/T1JJ3T3L2/A1BRTD4JD/{TOKEN}"
TEAMS = (
    "https://prod-1.westus.logic.azure.com:443/workflows/643e69f83c8944438d68119179a10a64/triggers"
    "/manual/paths/invoke?api-version=2016-06-01&sp=%2Ftriggers%2Fmanual%2Frun&sv=1.0"
    "&sig=KODuebWbDGYFr0z0eu-6Rj8aUKz7108W3wrNJZxFE5A"
)
PAGER = "pagerduty://0123456789abcdef0123456789abcdef"
EVIL = "*b* <!channel> [a](http://b)\u202e https://x.example/y?X-Amz-Signature=0123456789abcdef"


def notice(kind="began", text=EVIL, severity="critical"):
    return Notice(
        id=f"x-{kind}",
        kind=kind,
        severity=severity,
        title="HighCost",
        text=text,
        at=utc_now(),
        alert="HighCost",
    )


@pytest.fixture
def ear(monkeypatch):
    """Whatever goes to a service of the internet comes to loopback instead."""
    with listening() as one:
        real = requests.sessions.Session.request

        def here(session, method, url, **named):
            if "127.0.0.1" not in url:
                _, _, rest = url.partition("://")
                url = f"{one.url}/{rest}"
            return real(session, method, url, **named)

        monkeypatch.setattr(requests.sessions.Session, "request", here)
        yield one


def sent(url, *notices):
    settings = load_settings(alert_channels=f"one={url}")
    return send_notices(settings.alert_places[0], notices, settings)


def test_slack_gets_text_in_which_nobody_is_called(ear):
    assert sent(SLACK, notice()).error == ""
    [(path, body)] = ear.told
    text = body["attachments"][0]["text"]
    assert path.startswith("/hooks.slack.com/services/")
    assert "&lt;!channel&gt;" in text
    assert "<!channel>" not in text
    assert body["mrkdwn"] is False
    assert "github.com" not in json.dumps(body)  # no picture of a third party


def test_teams_gets_text_without_links(ear):
    assert sent(TEAMS, notice()).error == ""
    [(_, body)] = ear.told
    assert "\\[a\\]" in json.dumps(body).replace("\\\\", "\\")


def test_pagerduty_opens_an_incident_and_closes_the_same(ear):
    assert sent(PAGER, notice(), notice("over")).error == ""
    (_, opened), (_, closed) = ear.told
    assert (opened["event_action"], closed["event_action"]) == ("trigger", "resolve")
    assert opened["dedup_key"] == closed["dedup_key"]
    assert opened["routing_key"] == PAGER.removeprefix("pagerduty://")


def test_a_slow_pager_gets_what_it_can_and_the_rest_the_next_time(ear):
    [channel] = (settings := load_settings(alert_channels=f"one={PAGER}")).alert_places
    moments = iter([0.0, 3.0, 6.0])  # when it begins, and before the second and the third
    done = send_notices(channel, [notice()] * 9, settings, clock=lambda: next(moments))
    assert len(done.notices) == len(ear.told) == 2
    assert (done.error, done.is_unsure) == ("", False)


def test_a_webhook_gets_json_with_its_own_query(ear):
    assert sent(f"{ear.url}/hook", notice(), notice("over")).error == ""
    [(path, body)] = ear.told
    assert path == "/hook"
    assert body["title"] == "Escriba: 1 began, 1 over"
    assert "\u202e" not in body["message"]
    assert "0123456789abcdef" not in body["message"]  # a signature


def test_mail_goes_through_the_houses_server(free_port):
    inbox = Inbox()
    controller, mail = started(inbox, free_port())
    settings = load_settings(alert_channels="post=mail:a@example.org,b@example.org", **mail)
    done = send_notices(settings.alert_places[0], [notice()], settings)
    controller.stop()
    assert done.error == ""
    [(to, content)] = inbox.letters
    assert to == ["a@example.org", "b@example.org"]
    assert b"Escriba: HighCost began" in content


def test_what_a_channel_answers_is_told_without_its_url(ear):
    ear.status = 403
    done = sent(f"{ear.url}/{TOKEN}", notice())
    assert "403" in done.error
    assert TOKEN not in done.error
    assert TOKEN not in masked(f"a log says {TOKEN}")


def test_what_every_url_of_a_service_has_is_no_secret():
    load_settings(alert_channels=f"ops={SLACK} t={TEAMS}")
    plain = "Two services start workflows by triggers, /triggers/manual/run, since 2016-06-01."
    assert masked(plain) == plain
    assert TOKEN not in masked(f"services/{TOKEN}")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f"ops={SLACK} ops={PAGER}", "ops is the name of two channels"),
        (SLACK, "channel 1 has no name"),
        ("ops=hooks.slack.com", "ops has no URL"),
        ("ops=https://[oops/x", "ops has no URL"),
        ("ops=https://oops:port/x", "ops has no URL"),
        ("ops=mail:", "ops has no address"),
        ("ops=mail:dean", "'dean' is not a mail address"),
    ],
)
def test_a_wrong_channel_is_named_and_its_url_is_not(text, said):
    with pytest.raises(SettingsError, match="ALERT_CHANNELS") as told:
        load_settings(alert_channels=text)
    assert said in str(told.value)
    assert TOKEN not in str(told.value)


def test_quiet_hours_that_are_none_are_refused():
    with pytest.raises(SettingsError, match="ALERT_QUIET_HOURS: 'night' is not a span of hours"):
        load_settings(alert_quiet_hours="night")


def test_channels_show_no_secret():
    assert TOKEN not in repr(read_channels(f"ops={SLACK}"))


def run(monkeypatch, channels, *arguments):
    monkeypatch.setenv("ALERT_CHANNELS", channels)
    return CliRunner().invoke(escriba, ["alert", *arguments, "--json"])


def test_a_test_message_goes_to_all_channels_but_calls_nobody(ear, monkeypatch):
    done = run(monkeypatch, f"ops={SLACK} hook={ear.url} pager={PAGER}", "--test")
    assert done.exit_code == 0, done.output
    assert [one["kind"] for one in json.loads(done.output)["channels"]] == [
        "slack",
        "webhook",
        "pagerduty",
    ]
    assert len(ear.told) == 2

    run(monkeypatch, f"ops={SLACK} pager={PAGER}", "--test", "--channel", "pager")
    assert [one["event_action"] for _, one in ear.told[2:]] == ["trigger", "resolve"]


def test_a_test_that_fails_says_which_and_why(ear, monkeypatch):
    ear.status = 500
    done = run(monkeypatch, f"hook={ear.url}", "--test")
    assert done.exit_code == 1
    assert "500" in json.loads(done.output)["channels"][0]["trouble"]


def test_an_unknown_channel_is_refused_with_the_known_ones(monkeypatch):
    done = run(monkeypatch, f"ops={SLACK}", "--test", "--channel", "nope")
    assert done.exit_code == 2
    assert "has no channel 'nope'; it has ops" in done.output
