"""RunPod serverless on loopback: one endpoint, for clients and for the SDK's own worker loop.

Clients: /v2/endpoint/run, status, cancel, health, batch; /control is REST v2. Workers: job-take,
job-stop, job-done, ping; an SDK is pointed there by `worker_settings`. Tests may as well call the
methods, and `wait_for`. What breaks is scripted in `faults`; what was asked is in `requests`.
"""

import contextlib
import json
import select
import socket
import struct
import sys
import threading
import time
from collections import defaultdict, deque
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from urllib.parse import parse_qs, urlsplit

from tests.fake_runpod_batches import Batches
from tests.fake_runpod_control import ControlPlane

HOLD_SECONDS = 2.0  # of a long poll; the real one holds for some 20 s
LONG_SECONDS = 120  # for machines that have a lot else to do
FINAL = {"COMPLETED", "FAILED", "CANCELLED", "TIMED_OUT"}
OF_CLIENTS = {"run", "status", "cancel", "health", "serverless", "catalog", "billing", "batch"}


@dataclass(frozen=True)
class Fault:
    """What happens to one request.

    how: 'answer' with a status, headers and body; 'reset' the connection in mid-answer; 'cut' the
    body short; 'hold' until `released`. done: whether the request is carried out before.
    """

    how: str = "answer"
    status: int = 500
    headers: tuple = ()
    body: bytes = b""
    done: bool = False


RESET, CUT, HOLD = Fault("reset"), Fault("cut"), Fault("hold")
LOST_ANSWER = Fault("reset", done=True)
HTML = Fault(status=200, body=b"<html>maintenance</html>")
GARBAGE = Fault(status=200, body=b'{"id": "job-1", "sta')


def busy(status=429, **headers):
    """No answer now; headers by their names with underscores."""
    named = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    return Fault(status=status, headers=named)


@dataclass
class Job:
    """As the endpoint knows it; `answers` are all that workers ever posted as its end."""

    id: str
    input: object
    status: str = "IN_QUEUE"
    worker: str = ""
    output: object = None
    error: str = ""
    progress: list = field(default_factory=list)
    answers: list = field(default_factory=list)
    policy: dict = field(default_factory=dict)
    submitted: float = 0.0
    began: float = 0.0
    ended: float = 0.0

    def view(self):
        told = {"id": self.id, "status": self.status, "workerId": self.worker}
        output = self.output
        if output is None and self.status == "IN_PROGRESS" and self.progress:
            output = self.progress[-1]
        told |= {"output": output} if output is not None else {}
        told |= {"executionTime": round((self.ended - self.began) * 1000)} if self.ended else {}
        return told | ({"error": self.error} if self.error else {})


class FakeRunPod:
    """Use it as a context; `url` is its address.

    key: what clients must show; empty: anybody may ask. clock: for the policies of jobs.
    workers: as /health counts them. faults: by verb, one for each request that comes.
    requests: verb and monotonic time of each request of a client.
    """

    def __init__(self, key="", clock=time.monotonic):
        self.key, self.clock = key, clock
        self.workers = {"idle": 1, "running": 0}
        self.faults, self.requests = defaultdict(deque), []
        self.released, self.is_down = threading.Event(), False
        self.control, self.batches = ControlPlane(), Batches(self)
        self.jobs, self.pings, self.stopped_pods = {}, [], []
        self._queue, self._stops, self._numbers = [], {}, count(1)
        self._changed = threading.Condition()
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.fake = self
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self):
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_):
        self.released.set()
        self._server.shutdown()
        self._server.server_close()

    def go_down(self):
        """From now on nobody can connect, and who is connected is hung up on."""
        self.is_down = True
        self._server.shutdown()
        self._server.server_close()

    def come_back(self):
        """At the same address."""
        self._server = _Server(self._server.server_address, _Handler)
        self._server.fake, self.is_down = self, False
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def worker_settings(self, pod):
        """The environment in which RunPod starts a worker."""
        worker = f"{self.url}/v2/endpoint"
        return {
            "RUNPOD_WEBHOOK_GET_JOB": f"{worker}/job-take/$ID?gpu=none",
            "RUNPOD_WEBHOOK_POST_OUTPUT": f"{worker}/job-done/$RUNPOD_POD_ID/$ID?gpu=none",
            "RUNPOD_WEBHOOK_PING": f"{worker}/ping/$RUNPOD_POD_ID?gpu=none",
            "RUNPOD_PING_INTERVAL": "1000",
            "RUNPOD_POD_ID": pod,
            "RUNPOD_AI_API_KEY": "key",
            "RUNPOD_SKIP_AUTO_SYSTEM_CHECKS": "true",
        }

    # --- what a client does ---

    @property
    def settings(self):
        """As the environment of an orchestrator that uses this endpoint."""
        return {
            "runpod_api_key": self.key or "key",
            "runpod_endpoint_id": "endpoint",
            "runpod_api_url": f"{self.url}/v2",
            "runpod_control_url": f"{self.url}/control",
        }

    def count(self, verb):
        """How often clients asked so."""
        return [asked for asked, _ in self.requests].count(verb)

    def run(self, input_, policy=None, *, held=False):
        """Submit; the job's id. held: until `release`."""
        with self._changed:
            job = Job(f"job-{next(self._numbers)}", input_, policy=policy or {})
            job.submitted = self.clock()
            self.jobs[job.id] = job
            if not held:
                self._queue.append(job.id)
            self._changed.notify_all()
        return job.id

    def release(self, ids):
        """Let workers take jobs that were held."""
        with self._changed:
            self._queue += ids
            self._changed.notify_all()

    def cancel_waiting(self, ids):
        """Those in the queue; running ones go on."""
        for id_ in ids:
            if id_ in self._queue:
                self.cancel(id_)

    def lose(self, id_):
        """As when its time to live is over: nobody knows it any more."""
        with self._changed:
            job = self.jobs.pop(id_)
            if id_ in self._queue:
                self._queue.remove(id_)
            elif job.status not in FINAL:
                self._stops.setdefault(job.worker, []).append(id_)
            self._changed.notify_all()

    def look_at_policies(self):
        """What `ttl` and `executionTimeout` (ms) do, whenever somebody asks."""
        now = self.clock()
        with self._changed:
            for job in list(self.jobs.values()):
                if now - job.submitted > job.policy.get("ttl", 86_400_000) / 1000:
                    self.lose(job.id)
                    continue
                longest = job.policy.get("executionTimeout", 600_000) / 1000
                if job.status == "IN_PROGRESS" and now - job.began > longest:
                    job.status, job.ended = "TIMED_OUT", now
                    self._stops.setdefault(job.worker, []).append(job.id)

    def deliver_again(self, id_):
        """The queue loses sight of a worker and hands its job to the next one."""
        with self._changed:
            self.jobs[id_].status = "IN_QUEUE"
            self._queue.append(id_)
            self._changed.notify_all()

    def cancel(self, id_):
        """Out of the queue, or a stop signal to its worker."""
        with self._changed:
            job = self.jobs[id_]
            if job.status in FINAL:
                return
            if id_ in self._queue:
                self._queue.remove(id_)
            else:
                self._stops.setdefault(job.worker, []).append(id_)
            job.status = "CANCELLED"
            self._changed.notify_all()

    def work(self, do, pod="scripted"):
        """A worker in a thread: `do(input, tell)` gives the end of each job, until None comes."""
        threading.Thread(target=self._work, args=(do, pod), daemon=True).start()

    def _work(self, do, pod):
        while not self.released.is_set():
            for taken in self.take(pod, 1, lambda: False):
                id_ = taken["id"]

                def tell(progress, id_=id_):
                    self.done(pod, id_, {"status": "IN_PROGRESS", "output": progress})

                self.done(pod, id_, do(taken["input"], tell))

    def wait_for(self, what, seconds=LONG_SECONDS):
        """Until `what()` is true, looked at after each change; what it gave."""
        with self._changed:
            found = self._changed.wait_for(what, seconds)
        assert found, f"not within {seconds} s: {[job.view() for job in self.jobs.values()]}"
        return found

    def end_of(self, id_):
        """Wait until the job has ended; the job."""
        self.wait_for(lambda: self.jobs[id_].status in FINAL)
        return self.jobs[id_]

    def begun(self, id_):
        """Wait until the job told of its progress."""
        return self.wait_for(lambda: self.jobs[id_].progress)

    # --- what the SDK's loop asks ---

    def take(self, worker, most, is_gone):
        """Up to so many jobs, once there is one; none after a while, or for who hung up."""
        until = time.monotonic() + HOLD_SECONDS
        with self._changed:
            while not self._queue and time.monotonic() < until and not is_gone():
                self._changed.wait(0.05)
            if is_gone():
                return []
            taken, self._queue[:most] = self._queue[:most], []
            for id_ in taken:
                job = self.jobs[id_]
                job.status, job.worker, job.began = "IN_PROGRESS", worker, self.clock()
            self._changed.notify_all()
        return [{"id": id_, "input": self.jobs[id_].input} for id_ in taken]

    def stops_of(self, worker, is_gone):
        """Ids of jobs that the worker must stop, once there are any."""
        until = time.monotonic() + HOLD_SECONDS
        with self._changed:
            while not self._stops.get(worker) and time.monotonic() < until and not is_gone():
                self._changed.wait(0.05)
            return [] if is_gone() else self._stops.pop(worker, [])

    def done(self, worker, id_, told):
        """Progress, or the end; what comes after the end changes nothing."""
        with self._changed:
            job = self.jobs.get(id_)
            if job is None:
                return
            if told.get("status") == "IN_PROGRESS":
                job.progress.append(told["output"])
            else:
                job.answers.append(told)
                if told.get("stopPod"):
                    self.stopped_pods.append(worker)
                if job.status not in FINAL:
                    job.status = "FAILED" if "error" in told else "COMPLETED"
                    job.output, job.error = told.get("output"), told.get("error", "")
                    job.ended = self.clock()
            self._changed.notify_all()

    def view(self, job):
        """As clients are told of a job."""
        return job.view()

    def ping(self, worker, told):
        with self._changed:
            self.pings.append({"worker": worker} | told)
            self._changed.notify_all()

    def health(self):
        states = [job.status for job in self.jobs.values()]
        names = {"completed": "COMPLETED", "failed": "FAILED", "inProgress": "IN_PROGRESS"}
        names |= {"inQueue": "IN_QUEUE"}
        jobs = {name: states.count(state) for name, state in names.items()}
        return {"jobs": jobs, "workers": self.workers}


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 512  # a client opens its whole pool at once

    def handle_error(self, request, client_address):
        """A worker that was killed in the middle of a request is what the tests are about."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    disable_nagle_algorithm = True

    def do_GET(self):
        self._do(b"")

    def do_POST(self):
        self._do(self.rfile.read(int(self.headers.get("Content-Length") or 0)))

    do_PATCH = do_POST  # noqa: N815  # http.server's name

    def _do(self, body):
        url = urlsplit(self.path)
        _, where, *parts = url.path.split("/")
        verb, *rest = parts if where == "control" else parts[1:]
        asked = {name: values[0] for name, values in parse_qs(url.query).items()}
        if self.server.fake.is_down:
            self.close_connection = True
            return None
        if verb not in OF_CLIENTS:
            return self._answer(*self._of_worker(verb, rest, asked, body))
        fake = self.server.fake
        call = fake.batches.call_of(self.command, rest) if verb == "batch" else verb
        fake.requests.append((call, time.monotonic()))
        if fake.key and self.headers.get("Authorization") != f"Bearer {fake.key}":
            return self._answer(401, {"error": "unauthorized"})
        fault = fake.faults[call].popleft() if fake.faults[call] else None
        if fault and not fault.done:
            return self._break(fault)
        answer = self._of_client(verb, rest, asked, body)
        return self._break(fault, *answer) if fault else self._answer(*answer)

    def _of_client(self, verb, rest, asked, body):
        fake = self.server.fake
        if verb == "billing":
            return fake.control.bill(asked)
        if verb in {"serverless", "catalog"}:
            return fake.control.answer(self.command, verb, rest, asked, json.loads(body or b"{}"))
        fake.look_at_policies()
        if verb == "batch":
            return fake.batches.answer(self.command, rest, asked, body)
        return self._of_jobs(verb, rest, body)

    def _of_jobs(self, verb, rest, body):
        fake = self.server.fake
        if verb == "health":
            return 200, fake.health()
        if verb == "run":
            told = json.loads(body)
            return 200, {"id": fake.run(told["input"], told.get("policy")), "status": "IN_QUEUE"}
        if rest[0] not in fake.jobs:
            return 404, {"error": "job not found"}
        if verb == "cancel":
            fake.cancel(rest[0])
        return 200, fake.view(fake.jobs[rest[0]])

    def _of_worker(self, verb, rest, asked, body):
        fake = self.server.fake
        if verb == "job-take":
            taken = fake.take(rest[0], 1, self._is_gone)
            return 200 if taken else 204, taken[0] if taken else None
        if verb == "job-take-batch":
            taken = fake.take(rest[0], int(asked["batch_size"]), self._is_gone)
            return 200 if taken else 204, taken or None
        if verb == "job-stop":
            stops = fake.stops_of(rest[0], self._is_gone)
            return 200 if stops else 204, {"jobsToStop": stops} if stops else None
        if verb == "ping":
            return 200, fake.ping(rest[0], asked)
        return 200, fake.done(*rest, json.loads(body))

    def _break(self, fault, status=200, told=None):
        if fault.how == "hold":
            self.server.fake.released.wait(LONG_SECONDS)
            self.close_connection = True
        elif fault.how == "answer":
            self._send(fault.status, fault.body, fault.headers, "text/html")
        else:
            self._send(status, b'{"id": "job', (), "application/json", missing=100)
            if fault.how == "reset":  # without lingering, closing sends RST
                linger = struct.pack("ii", 1, 0)
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            self.close_connection = True

    def _is_gone(self):
        """Whether the asker hung up: a job given to a dead connection would be lost."""
        readable, _, _ = select.select([self.connection], [], [], 0)
        if not readable:
            return False
        with contextlib.suppress(OSError):
            return self.connection.recv(1, socket.MSG_PEEK) == b""
        return True

    def _answer(self, status, told=None):
        body = b"" if told is None else json.dumps(told).encode()
        self._send(status, body, (), "application/json")

    def _send(self, status, body, headers, kind, missing=0):
        with contextlib.suppress(ConnectionError):
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body) + missing))
            for name, value in headers:
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

    def log_message(self, *_):
        pass
