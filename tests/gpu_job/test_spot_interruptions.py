"""Notices of spot machines, from metadata services on loopback that ask what the real ones ask."""

import threading
from contextlib import nullcontext

import pytest

from gpu_job import manifest
from gpu_job.common.settings import WorkerSettings
from gpu_job.instance_metadata import NoMetadataError
from gpu_job.spot_interruptions import AwsNotices, GcpNotices, source_of, watched
from gpu_job.stop_request import Stop
from tests.fake_metadata import Aws, Gcp, metadata

SECONDS = 60  # for machines that have a lot else to do


@pytest.fixture
def aws():
    with metadata(Aws) as server:
        yield server


@pytest.fixture
def gcp():
    with metadata(Gcp) as server:
        yield server


def often(source):
    source.every_seconds = 0.001
    return source


@pytest.mark.parametrize(("kind", "source"), [(Aws, AwsNotices), (Gcp, GcpNotices)])
def test_a_notice_stops_the_work_and_nothing_does_before_it(kind, source):
    stop = Stop()
    with metadata(kind) as server, watched(often(source(server.url)), stop):
        asked = server.asked
        while server.asked < asked + 3:
            assert not stop.wait(0.01)
        server.notice = True
        assert stop.wait(SECONDS)
    assert stop.reason == "preempted"


def test_the_token_of_aws_is_kept_and_renewed_at_half_its_life(aws):
    now = [0.0]
    source = AwsNotices(aws.url, clock=lambda: now[0])

    for now[0] in (0.0, 10_000.0, 10_801.0):
        assert not source.is_given()

    assert len(aws.tokens) == 2


def test_a_token_that_died_while_the_machine_slept_is_taken_anew(aws):
    source = AwsNotices(aws.url)
    source.is_given()
    aws.revoked, aws.notice = True, True

    assert source.is_given()
    assert len(aws.tokens) == 2


def test_a_container_too_far_from_the_service_is_told_of_the_hop_limit(aws):
    aws.no_tokens = True

    with pytest.raises(NoMetadataError, match="HttpPutResponseHopLimit"):
        AwsNotices(aws.url).is_given()


def test_a_service_that_fails_is_told_of_once_and_stops_nothing(gcp, capsys):
    stop = Stop()
    gcp.broken = 503

    with watched(often(GcpNotices(gcp.url)), stop):
        while gcp.asked < 5:
            assert not stop.wait(0.01)
        gcp.broken, gcp.notice = 0, True
        assert stop.wait(SECONDS)

    assert capsys.readouterr().err.count("interruption notices are not available") == 1


def test_a_service_that_is_not_there_stops_nothing_and_no_proxy_is_asked(
    free_port, gcp, monkeypatch
):
    monkeypatch.setenv("HTTP_PROXY", gcp.url)

    with pytest.raises(NoMetadataError, match="does not answer"):
        AwsNotices(f"http://127.0.0.1:{free_port()}").is_given()
    assert gcp.asked == 0


def test_without_spot_notices_nobody_watches():
    before = threading.active_count()
    with watched(source_of("none"), Stop()):
        assert threading.active_count() == before


def test_a_notice_ends_a_manifest_with_a_status_of_its_own(
    aws, job, fake_models, monkeypatch, tmp_path
):
    aws.notice, stop = True, Stop()
    models = fake_models(lambda _: stop.wait(SECONDS))
    monkeypatch.setattr(manifest, "Stop", lambda: stop)
    monkeypatch.setattr(manifest, "load_models", lambda _: models)
    monkeypatch.setattr(manifest, "event_stream", lambda: nullcontext(lambda **_: None))

    settings = WorkerSettings(models=tmp_path, spot_notices="aws", spot_metadata_url=aws.url)
    status = manifest.process_all([job.request()], settings)

    assert status == manifest.STOPPED_EXIT
    assert job.claim().state == "stopped"
    assert job.claim().error.reason == "preempted"
