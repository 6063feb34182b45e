"""An OpenAI-compatible API on loopback: `POST /audio/transcriptions` and `GET /models`.

It checks what a real one checks: the key, the form's fields, the file's name, its size and, since
it decodes the audio, its length. It hears words where it is loud: tones are words of `WORDS` by
their frequency, so a test can compose a recording and knows what must come back, and when. What it
would bill is in `billed`, by the digest of the audio; what breaks is scripted in `faults`.
"""

import collections
import email
import email.policy
import hashlib
import io
import json
import socket
import struct
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import av
import numpy as np

from tests.loopback import Answering

RATE_HZ = 16_000
FRAME_MS = 10
LOUD = 400  # RMS of int16 above which somebody speaks
PAUSE_FRAMES = 8  # of silence between two words
FIRST_HZ, STEP_HZ = 400, 60
WORDS = ("we", "open", "the", "budget", "today", "and", "send", "a", "report")
WORDS += ("on", "friday", "to", "peter", "because", "data", "is", "late", "now")
KNOWN_FIELDS = {"model", "language", "prompt", "response_format", "timestamp_granularities[]"}
KNOWN_FIELDS |= {"languages[]", "keywords[]", "temperature", "file"}
HOLD_SECONDS = 120
SENTENCE = 8  # words between two longer pauses


@dataclass(frozen=True)
class Fault:
    """What happens to one request. billed: it is carried out before.

    how: 'answer' with a status, headers and a body; 'truncated' JSON with status 200; 'reset' the
    connection; 'silent': a text that is empty; 'language': the answer names that language.
    """

    how: str = "answer"
    status: int = 500
    headers: tuple = ()
    body: bytes = b""
    billed: bool = False
    language: str = "german"


TRUNCATED, RESET = Fault("truncated", billed=True), Fault("reset", billed=True)
BROKEN, SILENT, GERMAN = Fault(), Fault("silent", billed=True), Fault("language", billed=True)


def busy(retry_after=None, status=429, message="Rate limit reached"):
    """No answer now."""
    headers = () if retry_after is None else (("Retry-After", str(retry_after)),)
    body = json.dumps({"error": {"message": message, "type": "requests"}}).encode()
    return Fault(status=status, headers=headers, body=body)


@dataclass
class Heard:
    """One request that was accepted."""

    path: str
    fields: dict
    digest: str
    seconds: float
    idempotency_key: str


@dataclass
class FakeOpenAI:
    """Use it as a context; `url` is the base URL of the API.

    times: 'word', 'segment' or 'none'. bare: words are listed without marks and blanks, as
    whisper-1 does. arrived, answered: called with each accepted request, before it is carried out
    and once its answer has left.
    """

    key: str = "openai-SECRET"
    models: tuple = ("whisper-1",)
    times: str = "word"
    language: str = "english"
    max_bytes: int = 25_000_000
    max_seconds: float = 10_000.0
    minimum_seconds: float = 0.0
    bare: bool = False
    faults: collections.deque = field(default_factory=collections.deque)
    requests: list = field(default_factory=list)
    refused: list = field(default_factory=list)
    looks: list = field(default_factory=list)  # when the list of models was read
    billed: collections.Counter = field(default_factory=collections.Counter)
    billed_seconds: float = 0.0
    hold: object = None  # a function of a request: whether it waits until `released`
    arrived: object = None
    answered: object = None

    def __post_init__(self):
        self.released, self.waiting = threading.Event(), 0
        self.lock = threading.Lock()
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.fake = self
        self.url = f"http://127.0.0.1:{self._server.server_port}/v1"

    def __enter__(self):
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_):
        self.released.set()
        self._server.shutdown()
        self._server.server_close()

    @property
    def settings(self):
        """Those of an orchestrator; nobody's own server, so that it is billed."""
        return {
            "openai_api_key": self.key,
            "openai_base_url": self.url,
            "openai_model": self.models[0],
            "openai_is_own_server": "yes",
        }

    @property
    def environment(self):
        """That of a worker."""
        return {"ENGINE": "openai"} | {name.upper(): value for name, value in self.settings.items()}

    def bill(self, heard):
        with self.lock:
            self.billed[heard.digest] += 1
            self.billed_seconds += max(heard.seconds, self.minimum_seconds)

    def next_fault(self):
        with self.lock:
            return self.faults.popleft() if self.faults else None


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        """A client that was killed is what tests are about."""


class _Handler(Answering, BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.server.fake.looks.append(time.monotonic())
        if self.path != "/v1/models":
            return self.refuse(404, "not found")
        if not self._is_known():
            return self.refuse(401, "Incorrect API key provided")
        listed = [{"id": model, "object": "model"} for model in self.server.fake.models]
        return self.answer(200, json.dumps({"object": "list", "data": listed}).encode())

    def do_POST(self):
        fake, body = self.server.fake, self.rfile.read(int(self.headers["Content-Length"]))
        if not self._is_known():
            return self.refuse(401, f"Incorrect API key provided: {self.headers['Authorization']}")
        if self.path not in {"/v1/audio/transcriptions", "/v1/audio/translations"}:
            return self.refuse(404, "not found")
        fields, name, audio = _parts(self.headers["Content-Type"], body)
        found = _wrong(fake, fields, name, audio)
        if isinstance(found, tuple):
            return self.refuse(*found)
        digest = hashlib.sha256(found.tobytes()).hexdigest()
        key = self.headers.get("Idempotency-Key", "")
        heard = Heard(self.path, fields, digest, found.size / RATE_HZ, key)
        return self._carried_out(fake, heard, found)

    def _carried_out(self, fake, heard, sound):
        with fake.lock:
            fake.requests.append(heard)
        if fake.arrived is not None:
            fake.arrived(heard)
        if fake.hold is not None and fake.hold(heard):
            fake.released.wait(HOLD_SECONDS)
        fault = fake.next_fault()
        if fault is None or fault.billed:
            fake.bill(heard)
        if fault is not None and fault.how == "reset":
            linger = struct.pack("ii", 1, 0)
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            self.close_connection = True
            self.connection.close()
        elif fault is not None and fault.how == "answer":
            self._faulty(fault)
        else:
            self._say(fake, heard, sound, fault)

    def _say(self, fake, heard, sound, fault):
        said = _answer(fake, heard.fields, [] if fault and fault.how == "silent" else words(sound))
        if fault is not None and fault.how == "language" and "language" in said:
            said["language"] = fault.language
        body = json.dumps(said).encode()
        cut = fault is not None and fault.how == "truncated"
        self.answer(200, body[: len(body) // 2] if cut else body)
        if fake.answered is not None:
            fake.answered(heard)

    def _faulty(self, fault):
        self.send_response(fault.status)
        for name, value in fault.headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(fault.body)))
        self.end_headers()
        self.wfile.write(fault.body)

    def refuse(self, status, message):
        self.server.fake.refused.append((status, message))
        error = {"message": message, "type": "invalid_request_error"}
        self.answer(status, json.dumps({"error": error}).encode())

    def _is_known(self):
        key = self.server.fake.key
        return not key or self.headers.get("Authorization") == f"Bearer {key}"


def _parts(content_type, body):
    """The form's fields as lists, and the file's name and bytes."""
    head = f"Content-Type: {content_type}\r\n\r\n".encode()
    message = email.message_from_bytes(head + body, policy=email.policy.HTTP)
    fields, name, audio = collections.defaultdict(list), "", b""
    for part in message.iter_parts():
        field_name = part.get_param("name", header="content-disposition")
        if part.get_filename() is not None:
            name, audio = part.get_filename(), part.get_payload(decode=True)
        else:
            fields[field_name].append(part.get_payload(decode=True).decode())
    return dict(fields), name, audio


def _wrong(fake, fields, name, audio):  # noqa: PLR0911  # one refusal after another
    """The samples, or the status and the message of a refusal."""
    if unknown := set(fields) - KNOWN_FIELDS:
        return 400, f"Unknown parameter: {min(unknown)}"
    if fields.get("model") != [fake.models[0]]:
        return 404, f"The model {fields.get('model')} does not exist"
    wanted = "json" if fake.times == "none" else "verbose_json"
    if fields.get("response_format") != [wanted]:
        return 400, f"response_format {fields.get('response_format')} is not compatible"
    if not name.endswith((".flac", ".mp3", ".ogg", ".wav", ".m4a", ".webm")):
        return 400, "Invalid file format"
    if len(audio) > fake.max_bytes:
        return 413, f"Maximum content size limit ({fake.max_bytes}) exceeded"
    try:
        sound = decoded(audio)
    except av.error.FFmpegError:
        return 400, "Audio file might be corrupted or unsupported"
    if sound.size / RATE_HZ > fake.max_seconds:
        return 400, f"audio duration {sound.size / RATE_HZ:.1f} seconds is longer than the maximum"
    return sound if sound.size >= RATE_HZ // 10 else (400, "Audio file is too short")


def decoded(audio):
    """int16 samples at 16 kHz."""
    with av.open(io.BytesIO(audio)) as container:
        resampler = av.AudioResampler(format="s16", layout="mono", rate=RATE_HZ)
        blocks = [
            block.to_ndarray().reshape(-1)
            for frame in [*container.decode(audio=0), None]
            for block in resampler.resample(frame)
        ]
    return np.concatenate(blocks)


def words(sound):
    """(word, start, end) of each loud stretch, in seconds."""
    step = RATE_HZ * FRAME_MS // 1000
    frames = sound[: sound.size // step * step].reshape(-1, step).astype(np.float32)
    loud = np.sqrt(np.square(frames).mean(axis=1)) > LOUD
    edges = np.flatnonzero(np.diff(np.pad(loud, 1).astype(np.int8))).reshape(-1, 2)
    runs = []
    for low, high in edges:
        if runs and low - runs[-1][1] < PAUSE_FRAMES:
            runs[-1][1] = int(high)
        else:
            runs.append([int(low), int(high)])
    return [
        (_word(sound[low * step : high * step]), low * FRAME_MS / 1000, high * FRAME_MS / 1000)
        for low, high in runs
    ]


def _word(sound):
    spectrum = np.abs(np.fft.rfft(sound[: RATE_HZ // 2].astype(np.float32)))
    hertz = np.argmax(spectrum) * RATE_HZ / max(1, min(sound.size, RATE_HZ // 2))
    return WORDS[round((hertz - FIRST_HZ) / STEP_HZ) % len(WORDS)]


def _answer(fake, fields, heard):
    text = " ".join(word for word, _, _ in heard)
    text = f"{text[:1].upper()}{text[1:]}." if text else ""
    if fake.times == "none":
        return {"text": text, "usage": {"type": "duration"}}
    said = {"task": "transcribe", "language": fake.language, "text": text}
    segments = [
        {"id": i, "start": part[0][1], "end": part[-1][2], "text": " ".join(w for w, _, _ in part)}
        | {"avg_logprob": -0.2, "no_speech_prob": 0.01}
        for i, part in enumerate(heard[at : at + 8] for at in range(0, len(heard), 8))
    ]
    said["segments"] = segments
    if fake.times == "word" and "word" in fields.get("timestamp_granularities[]", ()):
        blank = "" if fake.bare else " "
        said["words"] = [
            {"word": f"{blank}{word}", "start": start, "end": end} for word, start, end in heard
        ]
    return said


def tones(numbers, *, lead_ms=500, word_ms=400, pause_ms=300, rest_ms=1_200):
    """int16 samples with a tone for each number, and where each is: (word, start, end) in ms."""
    at, placed, parts = lead_ms, [], [np.zeros(lead_ms * 16, np.int16)]
    clock = np.arange(word_ms * 16) / RATE_HZ
    sounds = [
        (6_000 * np.sin(2 * np.pi * (FIRST_HZ + STEP_HZ * n) * clock)).astype(np.int16)
        for n in range(len(WORDS))
    ]
    for i, number in enumerate(numbers, start=1):
        pause = rest_ms if i % SENTENCE == 0 else pause_ms
        parts += [sounds[number % len(WORDS)], np.zeros(pause * 16, np.int16)]
        placed.append((WORDS[number % len(WORDS)], at, at + word_ms))
        at += word_ms + pause
    return np.concatenate(parts)[None, :], placed
