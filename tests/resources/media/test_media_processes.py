"""Strangers' files are read in processes that are ended at a limit, without mercy and by name."""

import os
import re
import signal
import subprocess
import sys
import textwrap
import threading
import time
import wave
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from escriba.audio.audio_errors import AudioRefused, DecodeStopped
from escriba.settings import HOUSE, load_settings
from resources.media.child_handle import Watch
from resources.media.media_messages import OptimizeTask
from resources.media.media_pool import MediaPool, limits_of
from resources.media.media_server import MediaServer, shared_server
from tests import hostile_media as hostile
from tests.conftest import RECORDINGS

GOOD = RECORDINGS / "portuguese-2-voices.m4a"
TASK = OptimizeTask(limit_bytes=100_000_000)
ON_LINUX = pytest.mark.skipif(sys.platform != "linux", reason="other systems guard less")


@pytest.fixture(scope="module")
def limits():
    return limits_of(load_settings())


@pytest.fixture
def pool_with(tmp_path, limits):
    """Opens a pool with other limits; all end with the test."""
    pools = []

    def open_one(server=shared_server, **changes):
        pools.append(MediaPool(replace(limits, **changes), lambda: tmp_path, server))
        return pools[-1]

    yield open_one
    for pool in pools:
        pool.close()
    assert not list(tmp_path.glob("media-*"))


@pytest.fixture
def long_silence(tmp_path):
    """Two hours of digital silence, which take seconds of CPU and no disk."""
    path = tmp_path / "long.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes(b"\1\0")
    head = bytearray(path.read_bytes()[:44])
    size = 2 * 3600 * 32_000
    head[4:8], head[40:44] = (size + 36).to_bytes(4, "little"), size.to_bytes(4, "little")
    with path.open("wb") as file:
        file.write(head)
        file.truncate(size + 44)
    return path


def gone(pid):
    """Whether a process is dead, within some time."""
    for _ in range(200):
        with suppress(FileNotFoundError):
            if "State:\tZ" not in Path(f"/proc/{pid}/status").read_text():
                time.sleep(0.05)
                continue
        return True
    return False


def refused(pool, path, folder, watch=None):
    with pytest.raises(AudioRefused) as caught:
        pool.optimize(path, folder, TASK, watch=watch)
    return caught.value


def the_child(pool):
    [child] = pool.children
    return child


def test_a_good_recording_gives_what_it_gives_in_this_process(pool_with, tmp_path):
    from escriba.audio.optimize import optimize  # noqa: PLC0415 - decoders in this process
    from escriba.audio.probe import probe  # noqa: PLC0415
    from resources.silero_vad import SileroDetector  # noqa: PLC0415

    (tmp_path / "here").mkdir()
    here = optimize(GOOD, tmp_path / "here", detector=SileroDetector())
    heard, pool = [], pool_with()
    probed = pool.probe(GOOD, "acme")
    made = pool.optimize(GOOD, tmp_path, TASK, "acme", Watch(progress=heard.append))

    assert probed == probe(GOOD)
    assert made == replace(here, path=tmp_path / "audio.flac", timings=made.timings)
    assert made.path.read_bytes() == here.path.read_bytes()
    assert heard == sorted(heard)
    assert the_child(pool).files_read == 2
    assert the_child(pool).guards == "['dies_with_parent', 'files', 'memory', 'network']"


@ON_LINUX
def test_each_limit_ends_the_process_by_name(pool_with, tmp_path, long_silence):
    noise = hostile.recording(tmp_path / "a.wav", "pcm_s16le", seconds=20)
    stop = Watch(stop=lambda: os.kill(the_child(slow).pid, signal.SIGSTOP))
    slow = pool_with(wall_seconds=0.5)
    segfault = Watch(progress=lambda _: os.kill(the_child(broken).pid, signal.SIGSEGV))
    broken = pool_with()
    cases = [
        (pool_with(cpu_seconds=0.5, cpu_seconds_per_hour=1), long_silence, None,
         "took_too_much_cpu", r"more than 1 s of CPU for \d+ s of audio"),
        (slow, long_silence, stop, "took_too_long", r"more than \d+ s for"),
        (pool_with(memory_bytes=64_000_000), hostile.large_packet(tmp_path), None,
         "took_too_much_memory", "more than 64 MB of memory"),
        (pool_with(), hostile.index_beyond_the_memory(tmp_path), None,
         "took_too_much_memory", r"60,000,000 samples .* reading a file may take 256 MB"),
        (pool_with(output_bytes=5_000), noise, None, "wrote_too_much", "larger than 0 MB"),
        (broken, long_silence, segfault, "decoder_crashed", "signal SIGSEGV"),
    ]  # fmt: skip

    for pool, path, watch, code, says in cases:
        error = refused(pool, path, tmp_path, watch)

        assert error.code == code, error.message
        assert re.search(says, error.message)
        assert code != "took_too_much_memory" or "MEDIA_MEMORY_MB" in error.advice
        assert pool.probe(GOOD).declared_ms  # the next file gets another process
    assert not (tmp_path / "audio.flac").exists()


def test_what_the_caller_says_ends_the_process_at_once(pool_with, tmp_path, long_silence):
    pool, stop = pool_with(), threading.Event()
    with pytest.raises(DecodeStopped):
        pool.optimize(long_silence, tmp_path, TASK, watch=Watch(stop.is_set, lambda _: stop.set()))
    with pytest.raises(ZeroDivisionError):
        pool.optimize(long_silence, tmp_path, TASK, watch=Watch(progress=lambda ms: ms / 0))
    with pytest.raises(FileNotFoundError):
        pool.probe(tmp_path / "no.wav")

    assert not pool.children


def test_a_process_reads_files_of_one_owner_and_none_after_a_bad_one(pool_with, tmp_path):
    pool, text = pool_with(), tmp_path / "text.mp3"
    text.write_text("no audio")
    pool.probe(GOOD, "acme")
    first = the_child(pool)
    pool.probe(GOOD, "globex")
    assert len(pool.children) == 2
    with pytest.raises(AudioRefused, match="not in a supported audio format") as caught:
        pool.probe(text, "acme")
    assert caught.value.code == "not_audio"

    assert first not in pool.children
    assert gone(first.pid)


@ON_LINUX
def test_a_file_that_ends_while_it_is_killed_does_not_harm_the_server(tmp_path, limits):
    server = shared_server()
    for turn in range(30):
        child = server.start_child(tmp_path, limits)
        if turn % 2:
            os.kill(child.pid, signal.SIGKILL)
        child.kill()
    pid = server.pid

    with MediaPool(limits, lambda: tmp_path) as pool:
        assert pool.probe(GOOD).declared_ms
    assert shared_server().pid == pid


@ON_LINUX
def test_a_server_that_was_killed_is_replaced(tmp_path, limits):
    with MediaPool(limits, lambda: tmp_path) as pool:
        pool.probe(GOOD)
        child = the_child(pool).pid
        os.kill(shared_server().pid, signal.SIGKILL)

        assert gone(child)  # it does not outlive its server
        assert pool.probe(GOOD).declared_ms


@ON_LINUX
def test_no_process_outlives_the_orchestrator(tmp_path):
    code = """
        import os, sys, time
        from pathlib import Path
        from escriba.settings import load_settings
        from resources.media.media_pool import open_pool
        from resources.media.media_server import shared_server
        pool = open_pool(load_settings(), lambda: Path(sys.argv[2]))
        pool.probe(Path(sys.argv[1]))
        [child] = pool.children
        print(shared_server().pid, child.pid, flush=True)
        time.sleep(60)
    """
    command = [sys.executable, "-c", textwrap.dedent(code), str(GOOD), str(tmp_path)]
    with subprocess.Popen(command, stdout=-1, text=True, cwd=HOUSE) as orchestrator:
        pids = orchestrator.stdout.readline().split()
        orchestrator.kill()

    assert len(pids) == 2
    assert all(map(gone, pids))


@ON_LINUX
def test_the_process_reaches_no_network_no_other_process_and_no_file(tmp_path):
    (tmp_path / "own").mkdir()
    code = """
        import os, socket, subprocess, sys, threading
        from pathlib import Path
        from escriba.settings import load_settings
        from resources.media.child_guards import guard
        from resources.media.media_pool import limits_of
        own = Path(sys.argv[1])
        limits = limits_of(load_settings())
        print(sorted(name for name, does in guard(own, limits).items() if does))
        (own / "a").write_text("a"), (own / "a").rename(own / "b")
        def tried(what):
            try:
                what()
            except OSError as error:
                return type(error).__name__
            return "done"
        thread = threading.Thread(target=lambda: print("thread", flush=True))
        thread.start(), thread.join()
        for what in (
            socket.socket, os.fork, lambda: os.kill(os.getppid(), 0), lambda: open("/etc/passwd"),
            lambda: os.symlink("/etc/passwd", own / "link"), lambda: open(own / ".." / "out", "w"),
            lambda: os.execv(sys.executable, [sys.executable]), lambda: os.listdir("/"),
            lambda: (own / "b").read_text(),
        ):
            print(tried(what))
        bytearray(limits.memory_bytes + 1)
    """
    command = [sys.executable, "-c", textwrap.dedent(code), str(tmp_path / "own")]
    ran = subprocess.run(command, capture_output=True, text=True, cwd=HOUSE, check=False)

    guards, thread, *tried = ran.stdout.splitlines()
    assert guards == "['dies_with_parent', 'files', 'memory', 'network']"
    assert thread == "thread"
    assert tried == ["PermissionError"] * 8 + ["done"]
    assert ran.stderr.rstrip().endswith("MemoryError")


def test_without_fork_the_same_files_are_read(pool_with, tmp_path):
    server = MediaServer(can_fork=False)
    pool = pool_with(lambda: server)

    assert pool.optimize(GOOD, tmp_path, TASK).decoded_ms == 44_744
    pool.close()
    server.close()
    assert not server.is_alive


@ON_LINUX
def test_the_server_sees_no_secret(monkeypatch):
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "marker")
    server = MediaServer()
    seen = Path(f"/proc/{server.pid}/environ").read_bytes()
    server.close()

    assert b"marker" not in seen
    assert b"PATH=" in seen
