"""Notices of spot machines, from metadata services on loopback that ask what the real ones ask."""

import threading
from contextlib import contextmanager, nullcontext
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from gpu_job import manifest, notices
from gpu_job.notices import AwsNotices, GcpNotices, NoMetadataError, watched
from gpu_job.settings import WorkerSettings
from gpu_job.stop import Stop
from tests.loopback import Answering

SECONDS = 60  # for machines that have a lot else to do


class Aws(Answering, BaseHTTPRequestHandler):
    """IMDSv2: tokens by PUT with a life, and no answer without one that is valid."""

    def do_PUT(self):
        life = self.headers.get("X-aws-ec2-metadata-token-ttl-seconds", "")
        if self.path != "/latest/api/token" or not life.isdecimal() or self.server.no_tokens:
            return self.answer(403)
        self.server.tokens.append(f"token-{len(self.server.tokens)}")
        return self.answer(200, self.server.tokens[-1].encode())

    def do_GET(self):
        self.server.asked += 1
        tokens = self.server.tokens[-1:]
        if self.headers.get("X-aws-ec2-metadata-token") not in tokens or self.server.revoked:
            self.server.revoked = False
            return self.answer(401)
        if self.path == "/latest/meta-data/spot/instance-action" and self.server.notice:
            return self.answer(200, b'{"action": "terminate", "time": "2026-11-25T08:22:00Z"}')
        return self.answer(self.server.broken or 404)


class Gcp(Aws):
    """The metadata server: no answer without its header."""

    def do_GET(self):
        self.server.asked += 1
        known = self.path == "/computeMetadata/v1/instance/preempted"
        if not known or self.headers.get("Metadata-Flavor") != "Google":
            return self.answer(403)
        if self.server.broken:
            return self.answer(self.server.broken)
        return self.answer(200, b"TRUE" if self.server.notice else b"FALSE")


@contextmanager
def metadata(kind):
    with ThreadingHTTPServer(("127.0.0.1", 0), kind) as server:
        server.daemon_threads = True
        server.tokens, server.asked = [], 0
        server.notice, server.no_tokens, server.revoked, server.broken = False, False, False, 0
        server.url = f"http://127.0.0.1:{server.server_port}"
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server
        server.shutdown()


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
    with metadata(kind) as server, watched("", stop, often(source(server.url))):
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

    with watched("", stop, often(GcpNotices(gcp.url))):
        while gcp.asked < 5:
            assert not stop.wait(0.01)
        gcp.broken, gcp.notice = 0, True
        assert stop.wait(SECONDS)

    assert capsys.readouterr().err.count("no notice of an interruption can be had") == 1


def test_a_service_that_is_not_there_stops_nothing_and_no_proxy_is_asked(
    free_port, gcp, monkeypatch
):
    monkeypatch.setenv("HTTP_PROXY", gcp.url)

    with pytest.raises(NoMetadataError, match="does not answer"):
        AwsNotices(f"http://127.0.0.1:{free_port()}").is_given()
    assert gcp.asked == 0


def test_without_spot_notices_nobody_watches():
    before = threading.active_count()
    with watched("none", Stop()):
        assert threading.active_count() == before


def test_a_notice_ends_a_manifest_with_a_status_of_its_own(
    aws, job, fake_models, monkeypatch, tmp_path
):
    aws.notice, stop = True, Stop()
    models = fake_models(lambda _: stop.wait(SECONDS))
    monkeypatch.setitem(notices._SOURCES, "aws", lambda: AwsNotices(aws.url))
    monkeypatch.setattr(manifest, "Stop", lambda: stop)
    monkeypatch.setattr(manifest, "load_models", lambda _: models)
    monkeypatch.setattr(manifest, "voice", lambda: nullcontext(lambda **_: None))

    settings = WorkerSettings(models=tmp_path, spot_notices="aws")
    status = manifest.work_through([job.request()], settings)

    assert status == manifest.STOPPED_EXIT
    assert job.claim().state == "stopped"
