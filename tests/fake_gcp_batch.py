"""GCP Batch on loopback: each job runs a real worker on a machine of its own.

What breaks is scripted in `faults`, by verb; what was asked is in `requests`. /compute is Compute
Engine, as far as `escriba doctor` asks it.
"""

import json
import threading
import time
from collections import defaultdict, deque
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import parse_qsl, urlsplit

from tests.fake_gcp_jobs import ENDED, PROJECT, Job, RefusedError, check, invalid
from tests.fake_google_login import google_login
from tests.loopback import Answering, break_off
from tests.machine_worker import MachineWorker

LONG_SECONDS = 120  # for machines that have a lot else to do
TOKEN = "ya29.token"


class FakeGcpBatch:
    """Use it as a context; `url` is its address.

    models: of the workers; None: machines never come. capacity: machines by region. lag: reads that
    do not know a new job. token: what clients must show. page: the most jobs of a page.
    silent: regions that answer 503.
    """

    def __init__(self, models=None, *, regions=("us-central1",), token=TOKEN, machines=2):
        self.models, self.regions, self.token = models, regions, token
        self.capacity = dict.fromkeys(regions, machines if models else 0)
        self.lag, self.page, self.reports_exit = 0, 100, False
        self.faults, self.requests = defaultdict(deque), []
        self.jobs, self.deleted, self.overlaps, self.silent = {}, [], [], set()
        self.quotas = {"PREEMPTIBLE_NVIDIA_L4_GPUS": 8.0, "NVIDIA_L4_GPUS": 1.0}
        self.zones = {f"zones/{region}-a" for region in regions}
        self._numbers, self._is_over = count(1), False
        self._changed, self._stack = threading.Condition(), ExitStack()
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.fake = self
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self):
        folder = Path(self._stack.enter_context(TemporaryDirectory()))
        self.login = self._stack.enter_context(google_login(folder, self.token))
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_):
        with self._changed:
            self._is_over = True
            workers = [worker for job in self._all() for worker in job.workers]
        self._server.shutdown()
        self._server.server_close()
        for worker in workers:
            worker.close()
        self._stack.close()

    @property
    def settings(self):
        """As the environment of an orchestrator that uses this project."""
        return {
            "gcp_project": PROJECT,
            "gcp_batch_machines": "g2-standard-4",
            "gcp_batch_regions": ",".join(self.regions),
            "gcp_batch_image": "registry.example/worker:1",
            "gcp_batch_url": self.url,
            "gcp_compute_url": self.url,
            "google_application_credentials": str(self.login.key_file),
        }

    def count(self, verb):
        """How often clients asked so."""
        return [asked for asked, _ in self.requests].count(verb)

    def job(self, id_, region=None):
        """The job of an id or a name, wherever it is now."""
        found = [job for job in self.jobs.values() if job.id == id_.rpartition("/")[2]]
        return next(job for job in found if region in {None, job.region})

    def is_at_work(self, submission):
        """Whether a machine can still go on with what was submitted."""
        id_ = submission.provider_id.partition("#")[0].rpartition("/")[2]
        return any(job.id == id_ and job.state not in ENDED for job in self.jobs.values())

    def wait_for(self, what, seconds=LONG_SECONDS):
        """Until `what()` is true, looked at after each change; what it gave."""
        with self._changed:
            found = self._changed.wait_for(what, seconds)
        assert found, f"not within {seconds} s: {[(job.id, job.state) for job in self._all()]}"
        return found

    # --- what happens to machines ---

    def give(self, region, machines):
        """From now on, a region has so many machines."""
        with self._changed:
            self.capacity[region] = machines
            self._start_what_can_start()

    def preempt(self, id_, *, notice=True):
        """Google takes a machine: with a notice and what the worker does then, or at once."""
        job = self.job(id_)
        if notice:
            job.worker.announce()
        else:
            job.worker.kill()
        job.is_taken = True

    def time_out(self, id_):
        """Its maxRunDuration is over."""
        job = self.job(id_)
        job.is_timed_out = True
        job.worker.kill()

    def lose(self, id_):
        """Nobody knows the job any more, and its machine is gone."""
        with self._changed:
            job = self.jobs.pop(self.job(id_).name)
            self.deleted.append(job)
        if job.worker:
            job.worker.kill()

    def dry_up(self, id_, code="CODE_GCE_ZONE_RESOURCE_POOL_EXHAUSTED"):
        """An event that says what the machine of a job is missing for."""
        self.job(id_).tell(f"Batch Error: code - {code}, description - error count is 3")

    # --- the API ---

    def create(self, region, asked, definition):
        check(region, asked, definition)
        with self._changed:
            job = Job(region, asked["jobId"], asked["requestId"], definition, next(self._numbers))
            known = self.jobs.get(job.name)
            if known is not None and known.request_id != job.request_id:
                raise RefusedError(409, "ALREADY_EXISTS", f"Resource '{job.name}' already exists")
            if known is None:
                self.overlaps += [one for one in self.jobs.values() if one.id == job.id]
                job.hidden = self.lag
                self.jobs[job.name] = job
                self._start_what_can_start()
            return self.jobs[job.name].view()

    def get(self, name):
        with self._changed:
            job = self.jobs.get(name)
            if job is None or job.hidden:
                if job:
                    job.hidden -= 1
                raise RefusedError(404, "NOT_FOUND", f"Resource '{name}' was not found")
            found = job.view()
            self._delete_if_over(job)
            return found

    def list(self, region, asked):
        invalid(asked.get("orderBy", "name") not in {"name", "create_time desc"}, "order_by")
        size = min(int(asked.get("pageSize", 100)), self.page)
        begin = int(asked.get("pageToken", 0))
        with self._changed:
            jobs = [job for job in self.jobs.values() if job.region == region and not job.hidden]
        jobs.sort(key=lambda job: -job.number)
        more = {"nextPageToken": str(begin + size)} if begin + size < len(jobs) else {}
        return {"jobs": [job.view() for job in jobs[begin : begin + size]]} | more

    def cancel(self, name):
        with self._changed:
            job = self._known(name)
            if job.state in ENDED:
                raise RefusedError(400, "FAILED_PRECONDITION", f"job is in state {job.state}")
            self._stop(job, "CANCELLED", "CANCELLATION_IN_PROGRESS")
        return {"name": f"{name}/operation", "done": False}

    def delete(self, name):
        with self._changed:
            job = self._known(name)
            if job.worker is None or job.worker.status is not None:
                job.to("DELETION_IN_PROGRESS")
            else:
                self._stop(job, "", "DELETION_IN_PROGRESS")
        return {"name": f"{name}/operation", "done": False}

    def compute(self, path, asked):
        """The zones of a machine type, and the quotas of a region."""
        if "/regions/" in path:
            quotas = [
                {"metric": name, "limit": limit, "usage": 0.0}
                for name, limit in self.quotas.items()
            ]
            return {"quotas": quotas}
        kind = path.rpartition("/")[2]
        name = asked["filter"].split('"')[1]
        items = {zone: {kind: [{"name": name}]} for zone in self.zones}
        return {"items": items | {"zones/mars-1-a": {"warning": {"code": "NO_RESULTS_ON_PAGE"}}}}

    # --- what happens to jobs ---

    def _all(self):
        return [*self.jobs.values(), *self.deleted]

    def _known(self, name):
        if name not in self.jobs:
            raise RefusedError(404, "NOT_FOUND", f"Resource '{name}' was not found")
        return self.jobs[name]

    def _stop(self, job, state, state_while_it_runs):
        if job.worker is None or job.worker.status is not None:
            job.to(state)
        elif job.state != state_while_it_runs:
            job.to(state_while_it_runs)
            job.worker.stop()
        self._changed.notify_all()

    def _delete_if_over(self, job):
        over = job.worker is None or job.worker.status is not None
        if job.state == "DELETION_IN_PROGRESS" and over:
            self.deleted.append(self.jobs.pop(job.name))

    def _start_what_can_start(self):
        for job in self.jobs.values():
            here = [one for one in self.jobs.values() if one.region == job.region]
            busy = sum(one.counts == {"RUNNING": "1"} for one in here)
            waits = job.counts == {"PENDING": "1"} and job.state in {"QUEUED", "RUNNING"}
            if waits and busy < self.capacity[job.region] and not self._is_over:
                notices = job.spec["environment"]["variables"]["SPOT_NOTICES"]
                cloud = "" if notices == "none" else notices
                job.worker = MachineWorker(job.address, self.models, cloud=cloud)
                job.workers.append(job.worker)
                job.counts, job.is_taken = {"RUNNING": "1"}, False
                if job.state != "RUNNING":
                    job.to("RUNNING")
                threading.Thread(target=self._attend, args=(job, job.worker), daemon=True).start()
        self._changed.notify_all()

    def _attend(self, job, worker):
        status = worker.process.wait()
        with self._changed:
            self._end(job, status)
            if not self._is_over:
                self._start_what_can_start()

    def _end(self, job, status):
        """The end of a task; then the lifecycle policy decides."""
        if job.state == "CANCELLATION_IN_PROGRESS":
            job.to("CANCELLED")
        if job.state != "RUNNING":
            return
        if status == 0:
            job.counts = {"SUCCEEDED": "1"}
            job.tell("Task state is updated from RUNNING to SUCCEEDED.", taskState="SUCCEEDED")
            job.to("SUCCEEDED")
            return
        code = self._exit_code(job, status)
        job.tell(
            f"Task state is updated from RUNNING to FAILED on zones/{job.region}-a/instances/1 "
            f"with exit code {code}.",
            taskState="FAILED",
            taskExecution={"exitCode": code},
        )
        (policy,) = job.spec["lifecyclePolicies"]
        again = code in policy["actionCondition"]["exitCodes"]
        if again and job.retries < job.spec["maxRetryCount"]:
            job.retries += 1
            job.counts = {"PENDING": "1"}
        else:
            job.counts = {"FAILED": "1"}
            job.to("FAILED")

    def _exit_code(self, job, status):
        """A machine that is taken hides the worker's status, unless Batch was quick."""
        if job.is_timed_out:
            return 50005
        if job.is_taken and not (self.reports_exit and status > 0):
            return 50001
        return status if status > 0 else 50000


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


class _Handler(Answering, BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self):
        self._do({})

    do_DELETE = do_GET  # noqa: N815  # http.server's name

    def do_POST(self):
        self._do(json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or b"{}"))

    def _do(self, body):
        url = urlsplit(self.path)
        asked, fake = dict(parse_qsl(url.query)), self.server.fake
        verb = self._verb(url.path)
        fake.requests.append((verb, time.monotonic()))
        fault = fake.faults[verb].popleft() if fake.faults[verb] else None
        if fault and not fault.done:
            return break_off(self, fault)
        try:
            self._check_token()
            found = 200, self._answer(verb, url.path, asked, body)
        except RefusedError as refused:
            told = {"code": refused.code, "message": refused.message, "status": refused.status}
            found = refused.code, {"error": told}
        if fault:
            return break_off(self, fault)
        return self.answer(found[0], json.dumps(found[1]).encode())

    def _check_token(self):
        if self.headers.get("Authorization") != f"Bearer {self.server.fake.token}":
            raise RefusedError(401, "UNAUTHENTICATED", "Request had invalid credentials.")

    def _verb(self, path):
        if path.startswith("/compute"):
            return "compute"
        if path.endswith("/jobs"):
            return {"GET": "list", "POST": "create"}[self.command]
        return "cancel" if path.endswith(":cancel") else self.command.lower()

    def _answer(self, verb, path, asked, body):
        fake = self.server.fake
        if verb == "compute":
            return fake.compute(path, asked)
        name = path.removeprefix("/v1/").removesuffix(":cancel")
        region = name.split("/")[3]
        if f"projects/{PROJECT}/" not in name or region not in fake.regions:
            raise RefusedError(404, "NOT_FOUND", f"Location {region} is not found")
        if region in fake.silent:
            raise RefusedError(503, "UNAVAILABLE", "The service is currently unavailable.")
        if verb == "create":
            return fake.create(region, asked, body)
        if verb == "list":
            return fake.list(region, asked)
        return getattr(fake, verb)(name)
