"""The real exporter of a busy house on loopback, and a real Prometheus that scrapes it."""

import re
import shutil
import socket
import subprocess
import threading
import time
from datetime import UTC, datetime, timedelta

import dagster as dg
import duckdb
import httpx
import pytest
import uvicorn

from api.metrics.exporter import Exporter, registry_of
from api.metrics.page import make_app
from escriba.settings import load_settings
from resources.backups.newest_backup import note_newest_backup
from resources.costs_database.load_ledger import load_ledger
from resources.gpu.engine_reports import EngineReport, write_report
from resources.ledger.writer import write_rows
from resources.storage import open_storage

PATIENCE_SECONDS = 60
_SELECTOR = re.compile(r"\b((?:transcription|escriba|up)[a-z_]*(?:\{[^}]*\})?)")
_CONFIG = """\
global: {{scrape_interval: 1s, evaluation_interval: 1s}}
scrape_configs:
  - job_name: escriba
    static_configs: [{{targets: ["127.0.0.1:{port}"]}}]
"""


class BusyHouse:
    """A bucket with everything that a metric shows, and the exporter that reads it."""

    def __init__(self, root, instance):
        (root / "dagster").mkdir()
        (root / "tenants.yaml").write_text(
            "tenants: {acme: {budget: {day_usd: 5, month_usd: 50}}}\n"
        )
        self.settings = load_settings(
            storage_url=(root / "bucket").as_uri(),
            dagster_home=root / "dagster",
            costs_database=root / "costs.duckdb",
            tenants_file=root / "tenants.yaml",
            runpod_api_key="k" * 20,
            runpod_endpoint_id="endpoint",
            openai_api_key="k" * 20,
            openai_model="whisper-1",
            credentials_end="RUNPOD_API_KEY=2030-01-01",
        )
        self.storage = open_storage(self.settings)
        self.exporter = Exporter(self.settings, self.storage, instance)

    def explain_bills(self):
        """Cost tables in which a twentieth of RunPod's bill is explained by no job."""
        load_ledger(self.storage, self.settings.costs_database, {})
        with duckdb.connect(str(self.settings.costs_database)) as costs:
            costs.execute(
                "CREATE SCHEMA IF NOT EXISTS marts; CREATE TABLE marts.reconciliation AS SELECT "
                "current_date AS day, 'runpod' AS backend, 0.5 AS unexplained_usd, "
                "10.0 AS machines_usd"
            )

    def report(self, **state):
        """What an engine says of itself at this moment."""
        write_report(self.storage, "one", EngineReport(at=datetime.now(UTC), **state))


@pytest.fixture(scope="session")
def busy_house(tmp_path_factory, attempt):
    """The house, and `work`, which adds attempts of each kind that end now."""
    with dg.DagsterInstance.ephemeral() as instance:
        house = BusyHouse(tmp_path_factory.mktemp("busy"), instance)
        house.explain_bills()
        note_newest_backup(house.storage, "20260301T030000Z", datetime.now(UTC))
        house.report(waiting=7, active={"runpod": 2}, circuit_open_seconds={"runpod": 0.0})

        def work(name):
            began = datetime.now(UTC) - timedelta(seconds=100)
            ends = {"done": "", "failed": "cuda_out_of_memory", "lost": "lost", "buried": ""}
            write_rows(
                house.storage,
                [
                    attempt(f"{name}-{how}", status=how, error_type=error, started_at=began)
                    for how, error in ends.items()
                ],
            )

        house.work = work
        yield house


class ServedExporter(uvicorn.Server):
    """The metrics page in a thread, on a port of its own."""

    def __init__(self, app):
        super().__init__(uvicorn.Config(app, log_level="warning"))
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self._thread = threading.Thread(target=self.run, args=([self._socket],))

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self.should_exit = True
        self._thread.join()


class RealPrometheus:
    """Answers queries about what it has scraped."""

    def __init__(self, url):
        self._client = httpx.Client(base_url=url, timeout=PATIENCE_SECONDS)

    def query(self, expression):
        """The series that an expression gives, each with its labels and value; a scalar as one.

        Raises:
            AssertionError: Prometheus does not understand it.
        """
        told = self._client.get("/api/v1/query", params={"query": expression})
        if told.is_server_error:  # it is still starting
            told.raise_for_status()
        answer = told.json()
        assert answer["status"] == "success", f"{expression}: {answer.get('error')}"
        return answer["data"]["result"]

    def query_range(self, expression, start, end, step):
        """The same at each step from start to end, in Unix time; each series with its values."""
        asked = {"query": expression, "start": start, "end": end, "step": step}
        answer = self._client.get("/api/v1/query_range", params=asked).json()
        assert answer["status"] == "success", f"{expression}: {answer.get('error')}"
        return answer["data"]["result"]

    def answers(self, expression):
        """Whether it is understood, and everything that it asks for has been scraped."""
        self.query(expression)
        selectors = _SELECTOR.findall(expression)
        return bool(selectors) and all(self.query(one) for one in selectors)

    def wait_for(self, expression):
        """Until a query gives something."""
        until = time.monotonic() + PATIENCE_SECONDS
        while not self._knows(expression):
            assert time.monotonic() < until, f"no answer to {expression}"
            time.sleep(0.2)

    def _knows(self, expression):
        try:
            return self.query(expression)
        except httpx.HTTPError:
            return None


@pytest.fixture(scope="session")
def prometheus(busy_house, free_port, tmp_path_factory):
    """A real Prometheus after a few scrapes of the busy house; Debian's package has it."""
    program = shutil.which("prometheus") or pytest.skip("prometheus is not installed")
    folder, port = tmp_path_factory.mktemp("prometheus"), free_port()
    with ServedExporter(make_app(registry_of(busy_house.exporter))) as served:
        config = folder / "prometheus.yml"
        config.write_text(_CONFIG.format(port=served.port))
        command = [
            *(program, f"--config.file={config}", f"--storage.tsdb.path={folder / 'data'}"),
            *(f"--web.listen-address=127.0.0.1:{port}", "--log.level=error"),
        ]
        with subprocess.Popen(command) as process:
            try:
                found = RealPrometheus(f"http://127.0.0.1:{port}")
                found.wait_for('up{job="escriba"} == 1')
                busy_house.work("first")
                found.wait_for('transcription_jobs_failed_total{error_type="lost"} >= 1')
                busy_house.work("second")
                found.wait_for('transcription_jobs_failed_total{error_type="lost"} >= 2')
                yield found
            finally:
                process.terminate()
