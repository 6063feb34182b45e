"""pyannoteAI on loopback: /v1/test, /diarize, /media/input and /jobs/{id}; it bills what succeeds.

It reads the audio by the address that it is given, as the real one does. What breaks is scripted in
`faults`, by operation: 'test', 'diarize', 'media', 'upload' or 'job'.
"""

import io
import json
import threading
import urllib.request
from collections import Counter, defaultdict, deque
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

import av

from tests.loopback import Answering

LEAST_SECONDS = 20
ENDLESS_SPEAKERS = 20  # a job with exactly as many never ends
FIELDS = {"url", "model", "numSpeakers", "minSpeakers", "maxSpeakers", "exclusive"}


@dataclass(frozen=True)
class Fault:
    """What happens to one request. done: whether it is carried out all the same."""

    status: int = 500
    body: bytes = b"{}"
    headers: tuple = ()
    done: bool = False


def busy(status=429, **headers):
    named = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    return Fault(status, b'{"message": "Too many requests"}', named)


CUT = Fault(200, b'{"jobId": "job-', done=True)  # truncated JSON, of what was carried out
LOST = Fault(502, b"<html>bad gateway</html>", done=True)


@dataclass
class Job:
    """looks: reads after which it ends; by then its audio was read from its URL."""

    id: str
    body: dict
    seconds: float
    looks: int
    ends: str = "succeeded"
    output: dict = field(default_factory=dict)
    status: str = "created"

    def view(self):
        return {"jobId": self.id, "status": self.status, "output": self.output}


class FakePyannoteAi:
    """One account. bills: the seconds of each job that succeeded, 20 at least."""

    def __init__(self, key):
        self.key, self.faults, self.requests = key, defaultdict(deque), Counter()
        self.jobs, self.bills, self.media, self.ends = {}, {}, {}, deque()
        self.looks = 2
        self._lock = threading.Lock()

    def __enter__(self):
        handler = type("Handler", (_Handler,), {"service": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.root = f"http://127.0.0.1:{self._server.server_port}"
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()

    @property
    def settings(self):
        return {
            "pyannote_ai_api_key": self.key,
            "pyannote_ai_url": f"{self.root}/v1",
            "pyannote_ai_poll_seconds": 0.02,
        }

    def diarize(self, body):
        unknown = body.keys() - FIELDS
        if unknown or not isinstance(body.get("url"), str):
            return 400, {"message": f"unexpected: {sorted(unknown)}"}
        if "numSpeakers" in body and body.keys() & {"minSpeakers", "maxSpeakers"}:
            return 400, {"message": "numSpeakers stands alone"}
        try:
            seconds = length_seconds(self._audio(body["url"]))
        except (OSError, KeyError, av.error.FFmpegError) as error:
            return 400, {"message": f"the audio cannot be read: {type(error).__name__}"}
        with self._lock:
            job = Job(f"job-{len(self.jobs) + 1}", body, seconds, self.looks)
            job.ends = self.ends.popleft() if self.ends else "succeeded"
            self.jobs[job.id] = job
        return 200, {"jobId": job.id, "status": job.status}

    def _audio(self, url):
        if url.startswith("media://"):
            return self.media[url]
        if not url.startswith(("http://", "https://")):
            raise OSError("not an address of the web")
        with urllib.request.urlopen(url) as answer:
            return answer.read()

    def read(self, job_id):
        with self._lock:
            job = self.jobs.get(job_id)
            if job is None:
                return 404, {"message": "Job not found"}
            if job.body.get("numSpeakers") != ENDLESS_SPEAKERS:
                job.looks -= 1
            job.status = "running" if job.looks > 0 else job.ends
            if job.status == "succeeded" and job.id not in self.bills:
                self.bills[job.id] = max(job.seconds, LEAST_SECONDS)
                job.output = turns_of(job.seconds)
            elif job.status in {"failed", "canceled"}:
                job.output = {"error": "the models are tired"}
            return 200, job.view()

    def delete_outputs(self):
        """As after 24 hours."""
        for job in self.jobs.values():
            job.output = None


def length_seconds(audio):
    with av.open(io.BytesIO(audio)) as container:
        return sum(f.samples / f.sample_rate for f in container.decode(audio=0))


def turns_of(seconds):
    """Two voices that overlap for a moment; labels are not in order of appearance."""
    half = round(seconds / 2, 3)
    turns = [
        {"start": 0.0, "end": half + 0.1, "speaker": "SPEAKER_01"},
        {"start": half, "end": seconds, "speaker": "SPEAKER_00"},
    ]
    exclusive = [dict(turns[0], end=half), turns[1]]
    return {"diarization": turns, "exclusiveDiarization": exclusive}


class _Handler(Answering, BaseHTTPRequestHandler):
    service: FakePyannoteAi

    def do_GET(self):
        name = urlsplit(self.path).path.removeprefix("/v1/")
        if name == "test":
            self._answered("test", lambda: (200, {"status": "OK"}))
        elif name.startswith("jobs/"):
            self._answered("job", lambda: self.service.read(name.removeprefix("jobs/")))
        else:
            self.answer(404)

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        match urlsplit(self.path).path:
            case "/v1/diarize":
                self._answered("diarize", lambda: self.service.diarize(body))
            case "/v1/media/input":
                place = body["url"].removeprefix("media://")
                url = f"{self.service.root}/upload/{place}?signature=SECRET"
                self._answered("media", lambda: (201, {"url": url}))
            case _:
                self.answer(404)

    def do_PUT(self):
        audio = self.rfile.read(int(self.headers["Content-Length"]))
        self.service.requests["upload"] += 1
        if faults := self.service.faults["upload"]:
            self.answer(faults.popleft().status)
            return
        place = urlsplit(self.path).path.removeprefix("/upload/")
        self.service.media[f"media://{place}"] = audio
        self.answer(200)

    def _answered(self, operation, work):
        service = self.service
        service.requests[operation] += 1
        if self.headers.get("Authorization") != f"Bearer {service.key}":
            self.answer(401, b'{"message": "Unauthorized"}')
            return
        fault = service.faults[operation].popleft() if service.faults[operation] else None
        if fault is None or fault.done:
            status, body = work()
        if fault is None:
            self.answer(status, json.dumps(body).encode())
            return
        self.send_response(fault.status)
        for name, value in (*fault.headers, ("Content-Length", str(len(fault.body)))):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(fault.body)
