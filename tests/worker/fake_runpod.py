"""RunPod serverless on loopback: one endpoint, for clients and for the SDK's own worker loop.

Clients: /v2/endpoint/run, status, cancel, health. Workers: job-take, job-stop, job-done, ping; an
SDK is pointed there by `worker_settings`. Tests may as well call the methods, and `wait_for`.
"""

import contextlib
import json
import select
import socket
import sys
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from urllib.parse import parse_qs, urlsplit

HOLD_SECONDS = 2.0  # of a long poll; the real one holds for some 20 s
LONG_SECONDS = 120  # for machines that have a lot else to do
FINAL = {"COMPLETED", "FAILED", "CANCELLED"}


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

    def view(self):
        told = {"id": self.id, "status": self.status, "workerId": self.worker}
        told |= {"output": self.output} if self.output is not None else {}
        return told | ({"error": self.error} if self.error else {})


class FakeRunPod:
    """Use it as a context; `url` is its address."""

    def __init__(self):
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
        self._server.shutdown()
        self._server.server_close()

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

    def run(self, input_):
        """Submit; the job's id."""
        with self._changed:
            job = Job(f"job-{next(self._numbers)}", input_)
            self.jobs[job.id] = job
            self._queue.append(job.id)
            self._changed.notify_all()
        return job.id

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
                self.jobs[id_].status, self.jobs[id_].worker = "IN_PROGRESS", worker
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
            job = self.jobs[id_]
            if told.get("status") == "IN_PROGRESS":
                job.progress.append(told["output"])
            else:
                job.answers.append(told)
                if told.get("stopPod"):
                    self.stopped_pods.append(worker)
                if job.status not in FINAL:
                    job.status = "FAILED" if "error" in told else "COMPLETED"
                    job.output, job.error = told.get("output"), told.get("error", "")
            self._changed.notify_all()

    def ping(self, worker, told):
        with self._changed:
            self.pings.append({"worker": worker} | told)
            self._changed.notify_all()

    def health(self):
        states = [job.status for job in self.jobs.values()]
        names = {"completed": "COMPLETED", "failed": "FAILED", "inProgress": "IN_PROGRESS"}
        names |= {"inQueue": "IN_QUEUE"}
        return {"jobs": {name: states.count(state) for name, state in names.items()}}


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        """A worker that was killed in the middle of a request is what the tests are about."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        url = urlsplit(self.path)
        asked = {name: values[0] for name, values in parse_qs(url.query).items()}
        fake = self.server.fake
        _, _, _, verb, *rest = url.path.split("/")
        if verb == "job-take":
            taken = fake.take(rest[0], 1, self._is_gone)
            return self._answer(200 if taken else 204, taken[0] if taken else None)
        if verb == "job-take-batch":
            taken = fake.take(rest[0], int(asked["batch_size"]), self._is_gone)
            return self._answer(200 if taken else 204, taken or None)
        if verb == "job-stop":
            stops = fake.stops_of(rest[0], self._is_gone)
            return self._answer(200 if stops else 204, {"jobsToStop": stops} if stops else None)
        if verb == "ping":
            return self._answer(200, fake.ping(rest[0], asked))
        if verb == "health":
            return self._answer(200, fake.health())
        job = fake.jobs.get(rest[0])
        return self._answer(200, job.view()) if job else self._answer(404, {"error": "not found"})

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        fake = self.server.fake
        _, _, _, verb, *rest = urlsplit(self.path).path.split("/")
        if verb == "run":
            id_ = fake.run(json.loads(body)["input"])
            return self._answer(200, {"id": id_, "status": "IN_QUEUE"})
        if verb == "cancel":
            fake.cancel(rest[0])
            return self._answer(200, fake.jobs[rest[0]].view())
        return self._answer(200, fake.done(*rest, json.loads(body)))

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
        with contextlib.suppress(ConnectionError):
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    def log_message(self, *_):
        pass
