"""`escriba up` as a subprocess on PostgreSQL, and Debian's Chromium in front of it."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import expect, sync_playwright

HOUSE = Path(__file__).resolve().parents[2]
CHROMIUM = shutil.which("chromium")
FLAGS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    # names of strangers that lead here; a page can bind its own name to this machine likewise
    "--host-resolver-rules=MAP *.example 127.0.0.1",
]
START_SECONDS = 300  # a busy machine is no failure
RUN_SECONDS = 300
PATIENCE_MS = 1000 * float(os.environ.get("UI_PATIENCE_SECONDS", "120"))  # for a page
_SECRET = re.compile(r"(AWS|STORAGE|S3|DAGSTER|DEFAULT|MODEL|COVERAGE)_?")


def wait_for(find, what, seconds=RUN_SECONDS):
    """What `find` gives as soon as it gives anything."""
    until = time.monotonic() + seconds
    while not (found := find()):
        assert time.monotonic() < until, f"{what} did not come in {seconds} s"
        time.sleep(0.2)
    return found


def processes():
    """All that live on this machine: parent and command by id."""
    command = ["ps", "-ewwo", "pid=,ppid=,stat=,args="]  # ww: whole lines, whatever COLUMNS says
    table = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    rows = (line.split(None, 3) for line in table.splitlines())
    return {int(pid): (int(ppid), args) for pid, ppid, stat, args in rows if "Z" not in stat}


class Up:
    """The real thing: a bucket, Dagster on PostgreSQL, and the processes."""

    wait_for, processes = staticmethod(wait_for), staticmethod(processes)

    def __init__(self, root, postgres_url, free_port):
        self.root, self.bucket = root, root / "bucket"
        self._free_port = free_port
        self._environment = {k: v for k, v in os.environ.items() if not _SECRET.match(k)} | {
            "PYTHONPATH": str(HOUSE),
            "STORAGE_URL": self.bucket.as_uri(),
            "DAGSTER_HOME": str(root / "dagster"),
            "DAGSTER_POSTGRES_URL": postgres_url,
            "DEFAULT_LANGUAGE": "auto",
            "MODEL": "demo",
        }

    def start(self):
        """Until it says that it is ready; on other ports where somebody was quicker."""
        for _ in range(3):
            port = self._free_port()
            self.url, self.files_url = f"http://127.0.0.1:{port}", f"http://127.0.0.1:{port + 1}"
            self.said = self.root / "up.log"
            command = [sys.executable, "-m", "cli", "up", "--port", str(port)]
            self.process = subprocess.Popen(
                command,
                cwd=self.root,
                env=self._environment,
                stdout=self.said.open("w"),
                stderr=subprocess.STDOUT,
                # behind a shell's `&` interrupts are ignored, also by what is started there
                preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509
            )
            wait_for(self._is_settled, "escriba up", START_SECONDS)
            if self.process.poll() is None:
                return self
            assert "Choose another --port" in self.said.read_text(), self.said.read_text()
        raise AssertionError("No port was free.")

    def _is_settled(self):
        return self.process.poll() is not None or "Press Ctrl-C to stop" in self.said.read_text()

    def family(self):
        """The processes that belong to it, with their children's children: commands by id."""
        rows = processes()
        found = {self.process.pid}
        while more := {pid for pid, (parent, _) in rows.items() if parent in found} - found:
            found |= more
        return {pid: rows[pid][1] for pid in found if pid in rows}

    def workers(self):
        """The processes that transcribe."""
        return [pid for pid, command in self.family().items() if "-m gpu_job" in command]

    def put(self, source, name):
        """A file into the inbox, whole at once; its partition key."""
        target = self.bucket / "inbox" / "acme" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target.with_name(f".{name}"))
        target.with_name(f".{name}").replace(target)
        return f"acme/{name}"

    def ask(self, query, **variables):
        """GraphQL, as the pages ask it."""
        body = {"query": query, "variables": variables}
        answer = httpx.post(f"{self.url}/graphql", json=body, timeout=60).json()
        assert "errors" not in answer, answer["errors"]
        return answer["data"]

    def runs(self, job="recordings_job"):
        """Of a job, the newest first: id, status, the keys of its config, its tags."""
        query = """query($f: RunsFilter!) {runsOrError(filter: $f) {... on Runs {results {
                   runId status runConfig tags {key value}}}}}"""
        return self.ask(query, f={"pipelineName": job})["runsOrError"]["results"]

    def ended(self, job="recordings_job", more_than=0):
        """The newest run of a job that had `more_than` runs before, once it has ended."""

        def newest():
            runs = self.runs(job)
            over = runs and runs[0]["status"] in {"SUCCESS", "FAILURE", "CANCELED"}
            return runs[0] if len(runs) > more_than and over else None

        return wait_for(newest, f"the end of a run of {job}")

    def launch(self, keys):
        """A run over explicit keys, past the sensors; its id."""
        query = """mutation($p: ExecutionParams!) {launchRun(executionParams: $p) {
                   ... on LaunchRunSuccess {run {runId}}}}"""
        selector = {
            "repositoryLocationName": "escriba",
            "repositoryName": "__repository__",
            "jobName": "recordings_job",
        }
        config = {"ops": {"recording_chain": {"config": {"keys": keys}}}}
        asked = self.ask(query, p={"selector": selector, "runConfigData": config})
        return asked["launchRun"]["run"]["runId"]

    def backfills(self):
        """The ids of all."""
        query = "{partitionBackfillsOrError {... on PartitionBackfills {results {id}}}}"
        return {one["id"] for one in self.ask(query)["partitionBackfillsOrError"]["results"]}

    def cursor(self):
        """Of the inbox sensor, as the daemon remembers it."""
        query = """query($s: SensorSelector!) {sensorOrError(sensorSelector: $s) {... on Sensor {
                   sensorState {typeSpecificData {... on SensorData {lastCursor}}}}}}"""
        selector = {
            "repositoryLocationName": "escriba",
            "repositoryName": "__repository__",
            "sensorName": "inbox_sensor",
        }
        found = self.ask(query, s=selector)["sensorOrError"]["sensorState"]
        return (found["typeSpecificData"] or {}).get("lastCursor") or ""

    def jobs(self):
        """The objects of all jobs in the bucket, and what they hold."""
        return {
            str(path.relative_to(self.bucket)): path.read_bytes()
            for path in self.bucket.glob("work/acme/jobs/*/*.json")
        }


@pytest.fixture(scope="session")
def up(tmp_path_factory, new_database, free_port, clips, cut):
    """Once a session: two good recordings, one that lies about its length, and a text file."""
    if CHROMIUM is None:
        pytest.skip("needs Debian's chromium")
    root = tmp_path_factory.mktemp("up")
    house = Up(root, new_database(), free_port)
    house.put(clips.english, "english.wav")
    house.put(clips.other, "other.wav")
    house.put(clips.portuguese, "portuguese.mp3")
    pieces = [
        cut(clips.english, root / f"{rate}.mp3", 6.0, bit_rate=rate) for rate in (16_000, 64_000)
    ]
    (root / "joined.mp3").write_bytes(b"".join(piece.read_bytes() for piece in pieces))
    house.put(root / "joined.mp3", "joined.mp3")
    (root / "notes.mp3").write_text("this is no audio")
    house.put(root / "notes.mp3", "notes.mp3")
    yield house.start()
    house.process.kill()


@pytest.fixture(scope="session")
def first_run(up):
    """What the inbox sensor made of the files that lay there."""
    return up.ended()


@pytest.fixture(scope="module")
def chromium():
    """Debian's browser; playwright's event loop must not outlive the tests of the pages."""
    if CHROMIUM is None:
        pytest.skip("needs Debian's chromium")
    with sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)


@pytest.fixture(scope="module")
def window(chromium, up):
    """Opens windows on the UI, of the size of the screenshots."""
    expect.set_options(timeout=PATIENCE_MS)

    def open_window():
        context = chromium.new_context(base_url=up.url, viewport={"width": 1440, "height": 900})
        context.set_default_timeout(PATIENCE_MS)
        return context.new_page()

    return open_window


@pytest.fixture
def page(window):
    """A fresh window."""
    page = window()
    yield page
    page.context.close()
