"""What a tenant permits and what it may cost, as tenants.yaml says it."""

from decimal import Decimal

import pytest

from escriba.backend_names import BACKENDS
from escriba.billing.permissions import Permission, SpendLimits
from escriba.errors import RecordingError
from escriba.recordings import from_inbox_key
from escriba.settings import SettingsError, load_settings
from intake.recording_options import (
    OPTIONS_FILE,
    TranscriptionOverrides,
    options_of,
    tenant_overrides,
)
from intake.tenants import tenant_permission
from resources.storage import open_storage


@pytest.fixture
def permission(tmp_path):
    """What acme permits by these lines."""

    def read(lines):
        path = tmp_path / "tenants.yaml"
        path.write_text(f"tenants:\n  acme: {{{lines}}}\n", encoding="utf-8")
        return tenant_permission(path, "acme")

    return read


def test_a_tenant_says_where_its_audio_may_go_and_for_how_much(permission):
    lines = (
        "third_parties: false, regions: [eu-west-1, EU-RO-1], backends: [runpod, local], "
        "budget: {day_usd: 2.5, month_usd: '40'}"
    )

    assert permission(lines) == Permission(
        third_parties=False,
        regions=("eu-west-1", "EU-RO-1"),
        backends=("runpod", "local"),
        budget=SpendLimits(day_usd=Decimal("2.5"), month_usd=Decimal(40)),
    )


@pytest.mark.parametrize("lines", ["", "language: pt", "regions:, budget:"])
def test_whoever_says_nothing_permits_everything(permission, lines):
    assert permission(lines) == Permission()


def test_who_is_not_in_the_file_permits_everything(permission, tmp_path):
    permission("third_parties: false")

    assert tenant_permission(tmp_path / "tenants.yaml", "other") == Permission()
    assert tenant_permission(tmp_path / "none.yaml", "acme") == Permission()


@pytest.mark.parametrize("amount", ["0.1", "'0.1'", "0.10", "1e-1"])
def test_amounts_are_exact_however_they_are_written(permission, amount):
    assert permission(f"budget: {{day_usd: {amount}}}").budget.day_usd == Decimal("0.1")


@pytest.mark.parametrize(
    ("lines", "parts"),
    [
        ("budget: {day_usd: 50 USD}", ["'budget.day_usd'", "amount in USD such as 12.50"]),
        (
            "budget: {day_usd: none}",
            ["'budget.day_usd'", "'none' is not an amount in USD", "remove the line"],
        ),
        ("budget: {day_usd: '2,50'}", ["'budget.day_usd'", "amount in USD"]),
        ("budget: {day_usd: .inf}", ["'budget.day_usd'", "amount in USD"]),
        ("budget: {day_usd: -1}", ["'budget.day_usd'", "greater than or equal to 0"]),
        ("budget: {week_usd: 1}", ["'budget.week_usd'", "known are day_usd, month_usd"]),
        ("budget: 50", ["'budget'", "must be a mapping"]),
        ("regions: eu-west-1", ["'regions'", "must be a list, such as [a, b]"]),
        ("regions: [no]", ["'regions.0'", "put it in quotes"]),
        ("regions: [eu west]", ["'regions'", "'eu west' is not a region name"]),
        ("backends: [runpd]", ["'backends'", "'runpd' is not a backend", "did you mean 'runpod'?"]),
        ("backends: []", ["'backends'", "[] permits no backend", "or remove the line"]),
        (
            "backends: [cloud]",
            ["'backends'", "'cloud' is not a backend", f"available are {', '.join(BACKENDS)}."],
        ),
        (
            "backends: [local, cloud_gpu]",
            ["'cloud_gpu' is not a backend", ", ".join(BACKENDS)],
        ),
        ("third_parties: maybe", ["'third_parties'", "must be true or false"]),
        ("third_party: false", ["'third_party'", "known are", "third_parties, regions, backends"]),
    ],
)
def test_a_wrong_line_is_told_with_file_tenant_and_key(permission, lines, parts):
    with pytest.raises(SettingsError) as caught:
        permission(lines)

    message = str(caught.value)
    assert message.startswith("tenants.yaml, tenant 'acme', ")
    assert all(part in message for part in parts), message
    assert not any(noise in message for noise in ("http", "pydantic", "Tenant", "Input"))


def test_what_a_tenant_permits_does_not_touch_what_it_wishes_for(tmp_path):
    path = tmp_path / "tenants.yaml"
    path.write_text("tenants:\n  acme: {language: en, regions: [eu-west-1]}\n")

    assert tenant_overrides(path) == {"acme": TranscriptionOverrides(language="en")}


@pytest.mark.parametrize("line", ['{"third_parties": true}', '{"budget": {"day_usd": 900}}'])
def test_no_recording_may_permit_anything_itself(tmp_path, line):
    settings = load_settings(storage_url=(tmp_path / "bucket").as_uri())
    storage, recording = open_storage(settings), from_inbox_key("inbox/acme/a.mp3")
    storage.write(recording.work_key(OPTIONS_FILE), line.encode())

    with pytest.raises(RecordingError, match="it is not a known key"):
        options_of(recording, settings, storage)


@pytest.mark.parametrize("name", BACKENDS)
def test_every_backend_of_this_version_can_be_named(permission, name):
    assert permission(f"backends: [{name}]").backends == (name,)
