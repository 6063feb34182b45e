"""Models are baked from a hub on loopback that has what the real one has."""

import hashlib
import json
import os
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import pytest

BAKE = Path(__file__).resolve().parents[2] / "gpu_job_image" / "gpu_job" / "bake_models.py"
COMMIT = "c" * 40
TOKEN = "hf_secret"
CONFIG = """
pipeline:
  name: pyannote.audio.pipelines.SpeakerDiarization
  params:
    segmentation: $model/segmentation
    embedding: some/embedding
"""
SPEECH = {"config.json": b"{}", "model.bin": b"weights", "tokenizer.json": b"{}", "README.md": b"r"}


def git_sha1(body):
    return hashlib.sha1(b"blob %d\0" % len(body) + body).hexdigest()


class Hub(BaseHTTPRequestHandler):
    """Models by name; what is `gated` wants the token, and `torn` files come with other bytes."""

    def do_HEAD(self):
        self.do_GET()

    def do_GET(self):
        self.server.seen.append(self.headers.get("Authorization", ""))
        parts = urlsplit(self.path).path.strip("/").removeprefix("api/models/").split("/")
        name, verb, rest = "/".join(parts[:2]), "".join(parts[2:3]), "/".join(parts[4:])
        files = self.server.models.get(name)
        if files is None:
            return self.answer(401, b"{}", {"X-Error-Code": "RepoNotFound"})
        if name in self.server.gated and self.headers.get("Authorization") != f"Bearer {TOKEN}":
            return self.answer(403, b"{}", {"X-Error-Code": "GatedRepo"})
        if verb == "revision" and parts[3] in ("main", COMMIT):
            told = {"id": name, "sha": COMMIT, "siblings": [{"rfilename": f} for f in files]}
            return self.answer(200, json.dumps(told).encode())
        if verb == "tree":
            tree = [
                {"type": "file", "path": file, "size": len(body), "oid": git_sha1(body)}
                for file, body in files.items()
            ]
            return self.answer(200, json.dumps(tree).encode())
        if verb == "resolve" and rest in files:
            body = self.server.torn.get(rest, files[rest])
            head = {"ETag": f'"{git_sha1(files[rest])}"', "X-Repo-Commit": COMMIT}
            return self.answer(200, body, head)
        return self.answer(404, b"{}", {"X-Error-Code": "RevisionNotFound"})

    def answer(self, status, body, headers=None):
        self.send_response(status)
        for name, value in ((headers or {}) | {"Content-Length": str(len(body))}).items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def hub():
    with ThreadingHTTPServer(("127.0.0.1", 0), Hub) as server:
        server.daemon_threads = True
        server.models = {
            "some/whisper": dict(SPEECH),
            "some/pipeline": {"config.yaml": CONFIG.encode(), "segmentation/pytorch.bin": b"s"},
            "some/embedding": {"config.yaml": b"x: 1", "pytorch_model.bin": b"e"},
        }
        server.gated, server.torn, server.seen = set(), {}, []
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def bake(hub, tmp_path):
    (tmp_path / "token").write_text(f"{TOKEN}\n")

    def run(*arguments, endpoint=f"http://127.0.0.1:{hub.server_port}", token=True):
        given = ["--token-file", str(tmp_path / "token")] if token else []
        return subprocess.run(
            [sys.executable, str(BAKE), str(tmp_path / "models"), *given, *arguments],
            env=os.environ | {"HF_ENDPOINT": endpoint, "HF_HOME": str(tmp_path / "home")},
            capture_output=True,
            text=True,
            check=False,
        )

    return run


def files_in(folder):
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_models_are_baked_by_name_whole_and_with_what_they_consist_of(bake, tmp_path):
    done = bake("--speech", "some/whisper", "--speakers", "some/pipeline@main")

    assert done.returncode == 0, done.stderr
    found = files_in(tmp_path / "models")
    assert set(found) == {
        "some/whisper/config.json",
        "some/whisper/model.bin",
        "some/whisper/tokenizer.json",
        "some/pipeline/config.yaml",
        "some/pipeline/segmentation/pytorch.bin",
        "some/embedding/config.yaml",
        "some/embedding/pytorch_model.bin",
        "baked.json",
    }
    names = ("some/whisper", "some/pipeline", "some/embedding")
    assert json.loads(found["baked.json"]) == dict.fromkeys(names, COMMIT)
    assert TOKEN not in str(found)


def test_the_token_opens_a_gated_model_and_without_it_one_is_told_what_to_accept(bake, hub):
    hub.gated.add("some/pipeline")

    refused = bake("--speakers", "some/pipeline", token=False)
    assert refused.returncode == 1
    assert "Accept its terms on hf.co/some/pipeline" in refused.stderr
    assert "id=hf_token" in refused.stderr
    assert bake("--speakers", "some/pipeline").returncode == 0


def test_a_token_of_an_account_that_did_not_accept_is_told_apart(bake, hub):
    del hub.models["some/pipeline"]

    refused = bake("--speakers", "some/pipeline")

    assert "denies this token access to" in refused.stderr
    assert TOKEN not in refused.stderr


def test_a_file_whose_bytes_are_others_is_named(bake, hub):
    hub.torn["model.bin"] = b"WEIGHTS"

    assert "is incomplete: model.bin" in bake("--speech", "some/whisper").stderr


def test_a_model_that_would_ask_the_hub_at_each_start_is_refused(bake, hub):
    del hub.models["some/whisper"]["tokenizer.json"]

    assert "is incomplete: tokenizer.json" in bake("--speech", "some/whisper").stderr


def test_wrong_names_and_a_missing_network_are_told_apart(bake, free_port):
    assert "large-v3-turbo" in bake("--speech", "turbo-large").stderr
    assert "HTTP 404" in bake("--speech", "some/whisper@old").stderr
    nowhere = f"http://127.0.0.1:{free_port()}"
    assert "needs the network" in bake("--speech", "some/whisper", endpoint=nowhere).stderr
