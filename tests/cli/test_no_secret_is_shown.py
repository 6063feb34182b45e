"""Every secret setting holds a marker, and everything fails that can: no marker is seen anywhere.

All APIs and stores are one server on loopback that refuses everything, and repeats in its answer
what it was sent, as some proxies do: keys and signatures included.
"""

import json
import os
import subprocess
import sys
import time
from base64 import b64decode, b64encode
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from click.testing import CliRunner

from cli import escriba
from cli.cli_context import original_stream
from escriba.known_secrets import _base64
from escriba.settings import HOUSE, Settings
from escriba.settings.secret_files import is_secret
from tests.cli.conftest import FILES

SECRETS = [name.upper() for name, field in Settings.model_fields.items() if is_secret(field)]
MARKERS = {name: f"Zq9xTk4v{number:02}w8sRd2pLm7Yc" for number, name in enumerate(SECRETS)}
MARKERS["AZURE_STORAGE_KEY"] = b64encode(b"Zq9xTk4v-azure-w8sRd2pLm7Yc").decode()
VALUES = MARKERS | {
    name: f"postgresql://user:{MARKERS[name]}@127.0.0.1:1/costs"
    for name in SECRETS
    if name.endswith("POSTGRES_URL")
}
FORMS = {form.encode() for marker in MARKERS.values() for form in {marker} | _base64(marker)}
FORMS.add(b64decode(MARKERS["AZURE_STORAGE_KEY"]))


class Echo(BaseHTTPRequestHandler):
    """Refuses each request, and repeats all that it was sent."""

    def do_GET(self):
        said = f"{self.path} {dict(self.headers)}"
        body = json.dumps({"error": {"message": said}, "message": said, "detail": said}).encode()
        self.send_response(403)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_POST = do_PUT = do_DELETE = do_HEAD = do_PATCH = do_GET  # noqa: N815  # http.server's names

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def echo():
    with ThreadingHTTPServer(("127.0.0.1", 0), Echo) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture
def environment(echo, tmp_path):
    """All secrets, and all addresses that can be set."""
    (tmp_path / "key.json").write_text(
        json.dumps(
            {
                "type": "service_account",
                "client_email": "a@b.example",
                "private_key": MARKERS["RUNPOD_API_KEY"],
            }
        )
    )
    urls = [name.upper() for name in Settings.model_fields if name.endswith(("_url",))]
    addresses = dict.fromkeys([name for name in urls if name not in VALUES], echo)
    return (
        VALUES
        | addresses
        | {
            "OPENAI_BASE_URL": f"{echo}/v1",
            "ALERT_CHANNELS": f"ops={echo}/{MARKERS['ALERT_CHANNELS']}",
            "BACKUP_URL": (tmp_path / "backups").as_uri(),
            "STORAGE_URL": (tmp_path / "bucket").as_uri(),
            "DAGSTER_HOME": str(tmp_path / "dagster"),
            "COSTS_DATABASE": str(tmp_path / "costs.duckdb"),
            "DAGSTER_POSTGRES_URL": "",
            "GOOGLE_APPLICATION_CREDENTIALS": str(tmp_path / "key.json"),
            "AZURE_STORAGE_ACCOUNT": "account",
            "RUNPOD_ENDPOINT_ID": "endpoint",
            "OPENAI_MODEL": "whisper-1",
            "SMTP_HOST": "127.0.0.1",
            "SMTP_PORT": "1",
            "SMTP_USER": "user",
            "REPORT_MAIL_TO": "a@b.example",
            "REPORT_MAIL_FROM": "a@b.example",
            "PRIMARY_BACKEND": "local",
            "MODEL": "demo",
            "HF_ENDPOINT": echo,
            "AWS_EC2_METADATA_DISABLED": "true",
            "PYTHONPATH": str(HOUSE),
        }
    )


def found_in(*places):
    return [form for form in FORMS for place in places if form in place]


def seen_processes(process):
    """What /proc shows of a process's descendants while it runs: {pid: (command, environment)}."""
    seen = {}
    while process.poll() is None:
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                command = (folder / "cmdline").read_bytes()
                given = (folder / "environ").read_bytes() if b"gpu_job" in command else b""
            except OSError:
                continue
            if str(HOUSE).encode() in given:
                seen[folder.name] = (command, given)
        time.sleep(0.2)
    return seen


def test_a_run_shows_no_secret_in_outputs_bucket_dagster_or_proc(environment, tmp_path):
    inbox = tmp_path / "bucket" / "inbox" / "acme"
    inbox.mkdir(parents=True)
    (inbox / FILES[0].name).write_bytes(FILES[0].read_bytes())
    (inbox / "broken.mp3").write_bytes(b"no audio")
    with subprocess.Popen(
        [sys.executable, "-m", "cli", "run"],
        env=os.environ | environment,
        cwd=tmp_path,
        stdout=(tmp_path / "said.txt").open("wb"),
        stderr=subprocess.STDOUT,
    ) as process:
        seen = seen_processes(process)

    assert process.returncode == 1, (tmp_path / "said.txt").read_text()
    assert seen  # the worker
    for command, given in seen.values():
        own = b"HUGGINGFACE_TOKEN=" + MARKERS["HUGGINGFACE_TOKEN"].encode()
        assert found_in(command, given.replace(own, b"")) == []
    _nothing_below(tmp_path)


def _nothing_below(folder):
    files = [path for path in folder.rglob("*") if path.is_file() and path.name != "key.json"]
    assert [path for path in files if found_in(path.read_bytes())] == []


ATTEMPTS = {
    "doctor": (["doctor"], {}),
    "doctor of a broken PostgreSQL": (["doctor"], {"DAGSTER_POSTGRES_URL": None}),
    "S3 that refuses": (["status"], {"STORAGE_URL": "s3://bucket/prefix"}),
    "Azure that refuses": (["status"], {"STORAGE_URL": "az://container/prefix"}),
    "Google without a key": (["status"], {"STORAGE_URL": "gs://bucket"}),
    "a worker that cannot start": (["run"], {"LOCAL_WORKER_PYTHON": "/bin/false"}),
    "an API that refuses": (["run"], {"PRIMARY_BACKEND": "openai"}),
    "RunPod that refuses": (["deploy", "runpod", "--yes"], {"RUNPOD_IMAGE": "a/b:c"}),
    "a hub that refuses": (["run"], {"MODEL": "acme/private"}),
    "a channel that refuses": (["alert", "--test"], {}),
    "a backup of a broken PostgreSQL": (["backup"], {"DAGSTER_POSTGRES_URL": None}),
    "reconcile": (["reconcile"], {}),
}


def test_whatever_fails_shows_no_secret(environment, tmp_path, monkeypatch, caplog, capfd):
    original_stream.cache_clear()  # of a test before this one
    inbox = tmp_path / "bucket" / "inbox" / "acme"
    inbox.mkdir(parents=True)
    (inbox / FILES[0].name).write_bytes(FILES[0].read_bytes())
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    shown = {}
    for name, (command, changed) in ATTEMPTS.items():
        with monkeypatch.context() as patch:
            for variable, value in changed.items():
                patch.setenv(variable, VALUES[variable] if value is None else value)
            done = CliRunner().invoke(escriba, command)
            said = f"{capfd.readouterr()} {done.output} {done.exception!r}"
            shown[name] = (done.exit_code, said)

    assert [name for name, (_, said) in shown.items() if found_in(said.encode())] == []
    assert [name for name, (code, _) in shown.items() if not code] == ["reconcile"]
    assert found_in(caplog.text.encode()) == []
    _nothing_below(tmp_path)
