"""Which machine this is, from metadata services on loopback."""

from datetime import UTC, datetime, timedelta

import pytest

from gpu_job import cloud_machine
from gpu_job.cloud_machine import aws_machine, gcp_machine, this_machine
from gpu_job.contract import Usage
from gpu_job.instance_metadata import AwsMetadata, GcpMetadata
from gpu_job.session import WorkerSession
from tests.fake_metadata import Aws, Gcp, metadata

BOOTED = datetime(2026, 3, 10, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def boot(monkeypatch):
    monkeypatch.setattr(cloud_machine, "host_started_at", lambda: BOOTED)


def test_a_machine_of_aws_says_its_id_its_type_its_zone_and_that_it_is_spot():
    with metadata(Aws) as server:
        machine = aws_machine(AwsMetadata(server.url))

    assert machine.model_dump() == {
        "id": "i-0123456789abcdef0",
        "type": "g5.xlarge",
        "zone": "us-east-1b",
        "is_spot": True,
        "started_at": BOOTED,
    }


def test_a_machine_of_google_says_them_without_the_paths_of_its_project():
    with metadata(Gcp) as server:
        machine = gcp_machine(GcpMetadata(server.url))

    assert (machine.id, machine.type) == ("1234567890123456789", "g2-standard-4")
    assert (machine.zone, machine.is_spot) == ("us-central1-a", None)


@pytest.mark.parametrize("status", [403, 503])
def test_a_service_that_does_not_say_stops_nothing_and_is_told_of(capsys, status):
    with metadata(Aws) as server:
        server.broken = status

        assert this_machine("aws", server.url) is None

    assert "the machine's id is unknown" in capsys.readouterr().err


@pytest.mark.parametrize(("cloud", "kind"), [("aws", Aws), ("gcp", Gcp)])
def test_the_cloud_is_that_of_the_setting_and_its_service_where_the_setting_says(cloud, kind):
    with metadata(kind) as server:
        assert this_machine(cloud, server.url).zone in {"us-east-1b", "us-central1-a"}


def test_elsewhere_nobody_is_asked(capsys):
    assert this_machine("none") is None
    assert not capsys.readouterr().err


def test_the_kernel_knows_when_the_machine_booted(monkeypatch):
    monkeypatch.undo()
    booted = cloud_machine.host_started_at()

    assert booted < datetime.now(UTC)
    assert abs(cloud_machine.host_started_at() - booted) < timedelta(seconds=1)


def test_each_job_of_a_process_carries_its_machine_and_older_usage_has_none():
    with metadata(Aws) as server:
        session = WorkerSession("worker-1", machine=aws_machine(AwsMetadata(server.url)))

    usage = session.usage("")
    read = Usage.model_validate_json(usage.model_dump_json())
    older = Usage.model_validate_json(usage.model_dump_json(exclude={"machine"}))

    assert read.machine == session.machine
    assert older.machine is None
