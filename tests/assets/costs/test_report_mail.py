"""The report of the morning: by Dagster into the bucket, and by a real SMTP server to people."""

import email
import ssl
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from email import policy
from ipaddress import ip_address
from types import SimpleNamespace

import dagster as dg
import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from pydantic import SecretStr

from escriba.reports.advice import Advice
from escriba.reports.html.report_page import CostReport
from escriba.settings import NightSettings, SettingsError, load_settings
from pipelines.definitions import make_definitions
from pipelines.schedules import report_schedule
from resources.mail import MailError, MailServer, check_login, report_mail, send
from tests.mailbox import Inbox

PASSWORD = "open sesame"
REPORT = CostReport("<p>page</p>", b"\x89PNG picture", "US$ 12.00 for transcription")
ADVICE = [Advice("RunPod & co would do", "do it", Decimal("3.5"), "figures")]


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """Of 127.0.0.1, signed by itself: its file, and its key's."""
    folder = tmp_path_factory.mktemp("certificate")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    address = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(address, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    form = serialization.Encoding.PEM
    private = key.private_bytes(
        form, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "cert.pem").write_bytes(made.public_bytes(form))
    (folder / "key.pem").write_bytes(private)
    return SimpleNamespace(file=folder / "cert.pem", key=folder / "key.pem")


class ReadInbox(Inbox):
    """The same, with letters as people read them."""

    def __init__(self):
        super().__init__()
        self.recipients = []

    async def handle_DATA(self, server, session, envelope):  # noqa: N802  # aiosmtpd's
        self.recipients += envelope.rcpt_tos
        self.letters.append(email.message_from_bytes(envelope.content, policy=policy.default))
        return "250 OK"


def login(server, session, envelope, mechanism, data):
    is_right = (data.login, data.password) == (b"escriba", PASSWORD.encode())
    return AuthResult(success=is_right, handled=is_right)


@pytest.fixture
def post(certificate, monkeypatch, free_port):
    """Starts a server that wants STARTTLS and a login; its inbox and how to reach it."""
    started = []
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate.file))

    def start(security="starttls", password=PASSWORD):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate.file, certificate.key)
        seal = {
            "starttls": {"tls_context": context, "require_starttls": True},
            "tls": {"ssl_context": context},
            "none": {},
        }[security]
        # aiosmtpd takes a login only where it sealed the connection itself
        locks = {"auth_required": True, "authenticator": login} if security == "starttls" else {}
        inbox = ReadInbox()
        controller = Controller(inbox, hostname="127.0.0.1", port=free_port(), **seal, **locks)
        controller.start()
        started.append(controller)
        user = "escriba" if locks else ""
        server = MailServer("127.0.0.1", controller.port, security, user, SecretStr(password))
        return SimpleNamespace(inbox=inbox, server=server)

    yield start
    for controller in started:
        controller.stop()


def written(*to):
    return report_mail(REPORT, ADVICE, "costs@example.org", to)


@pytest.mark.parametrize("security", ["starttls", "tls", "none"])
def test_a_letter_has_the_sentence_the_picture_and_the_page(post, security):
    there = post(security)
    send(there.server, written("a@example.org", "b@example.org"))
    [got] = there.inbox.letters

    assert there.inbox.recipients == ["a@example.org", "b@example.org"]
    assert got["Subject"] == REPORT.headline
    assert got["From"] == "costs@example.org"
    assert "US$ 3.50 to be saved: RunPod & co would do" in got.get_body(("plain",)).get_content()
    html = got.get_body(("html",)).get_content()
    assert "RunPod &amp; co would do" in html
    parts = {part.get_content_type(): part for part in got.walk()}
    assert f'src="cid:{parts["image/png"]["Content-ID"][1:-1]}"' in html
    assert parts["image/png"].get_content() == REPORT.png
    [page] = list(got.iter_attachments())
    assert page.get_filename() == "costs.html"
    assert page.get_payload(decode=True).decode() == REPORT.html


def test_a_wrong_password_is_named_and_never_shown(post):
    there = post(password="wrong horse")

    with pytest.raises(
        MailError, match=r"refuses the login\. Correct SMTP_USER or SMTP_PASSWORD"
    ) as error:
        send(there.server, written("a@example.org"))
    assert "horse" not in str(error.value)
    assert "horse" not in repr(there.server)
    assert there.inbox.letters == []


def test_a_server_is_greeted_without_a_letter_and_a_wrong_password_is_found(post):
    there = post()
    check_login(there.server)
    with pytest.raises(MailError, match=r"refuses the login\. Correct SMTP_USER or SMTP_PASSWORD"):
        check_login(post(password="wrong horse").server)

    assert there.inbox.letters == []


def test_who_cannot_be_reached_is_named_and_the_others_have_it(post):
    there = post()

    with pytest.raises(
        MailError, match=r"no mail for nobody@example\.org.*other recipients have the mail"
    ):
        send(there.server, written("a@example.org", "nobody@example.org"))
    assert there.inbox.recipients == ["a@example.org"]
    with pytest.raises(MailError, match=r"accepts no mail for nobody@example\.org\."):
        send(there.server, written("nobody@example.org"))


def test_a_server_that_cannot_prove_who_it_is_gets_nothing(post, monkeypatch):
    there = post()
    monkeypatch.delenv("SSL_CERT_FILE")

    with pytest.raises(MailError, match="CERTIFICATE_VERIFY_FAILED"):
        send(there.server, written("a@example.org"))
    assert there.inbox.letters == []


def test_a_server_that_is_not_there_is_named(free_port):
    port = free_port()
    server = MailServer("127.0.0.1", port, "none", "", SecretStr(""))

    with pytest.raises(MailError, match=f"127.0.0.1:{port}.*Check SMTP_HOST"):
        send(server, written("a@example.org"))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"report_mail_to": "a@example.org"}, "needs REPORT_MAIL_FROM and SMTP_HOST"),
        (
            {"report_mail_to": "a@example.org\nBcc: b@example.org"},
            "REPORT_MAIL_TO: its value has a line break",
        ),
        ({"report_mail_from": "Costs"}, "REPORT_MAIL_FROM: 'Costs' is not a mail address"),
        ({"smtp_user": "u", "smtp_security": "none"}, "would send SMTP_PASSWORD unencrypted"),
        ({"report_at": "25:00"}, "REPORT_AT: '25:00' is not a time of day"),
    ],
)
def test_settings_that_cannot_be_meant_are_named(given, said):
    with pytest.raises(SettingsError, match=said):
        load_settings(**given)


@pytest.fixture
def house(tmp_path, post, attempt, session, new_costs):
    """A bucket with a little of yesterday, whose report is to be mailed."""
    there = post("none")
    costs = new_costs(tmp_path / "costs")
    settings = load_settings(
        **costs.settings.model_dump(include=costs.settings.model_fields_set),
        report_mail_to="boss@example.org, ops@example.org",
        report_mail_from="costs@example.org",
        smtp_host=there.server.host,
        smtp_port=there.server.port,
        smtp_security="none",
    )
    yesterday = datetime.now(UTC).replace(hour=12) - timedelta(days=1)
    row = attempt(started_at=yesterday)
    costs.write(row, session(row))
    return SimpleNamespace(settings=settings, storage=costs.storage, inbox=there.inbox)


def test_the_job_of_the_morning_writes_the_page_and_mails_it(house):
    job = make_definitions(house.settings, None).resolve_job_def("report_job")
    with dg.DagsterInstance.ephemeral() as instance:
        done = job.execute_in_process(instance=instance, tags={"escriba/report": "2026-03-21"})

    assert done.success
    page = house.storage.read("reports/2026-03-21.html").decode()
    assert "What transcription cost" in page
    assert house.storage.read("reports/2026-03-21.png").startswith(b"\x89PNG")
    assert house.inbox.recipients == ["boss@example.org", "ops@example.org"]
    [got] = house.inbox.letters
    assert got["Subject"].startswith("US$ ")
    [attached] = list(got.iter_attachments())
    assert attached.get_payload(decode=True).decode() == page


def evaluated(settings, when):
    """What the schedule says at a moment, with a house's settings."""
    context = dg.build_schedule_context(
        scheduled_execution_time=when, resources={"settings": settings}
    )
    return report_schedule(NightSettings()).evaluate_tick(context)


def test_the_schedule_asks_once_a_morning_by_the_clocks_of_the_house(house):
    found = evaluated(house.settings, datetime(2026, 3, 21, 12, tzinfo=UTC))
    [request] = found.run_requests

    assert (request.run_key, request.tags["escriba/report"]) == ("report-2026-03-21", "2026-03-21")
    made = report_schedule(NightSettings(report_at="07:30", nightly_timezone="Europe/Lisbon"))
    assert (made.cron_schedule, made.execution_timezone) == ("30 7 * * *", "Europe/Lisbon")


def test_where_nothing_is_in_the_ledger_there_is_no_report(tmp_path):
    settings = load_settings(storage_url=(tmp_path / "empty").as_uri())

    found = evaluated(settings, datetime(2026, 3, 21, 12, tzinfo=UTC))
    assert found.skip_message == "The ledger is empty."
    assert not found.run_requests
