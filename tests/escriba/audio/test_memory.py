import subprocess
import sys
from pathlib import Path

import pytest

MOST_MORE_MB = 15
CODE = """
import sys
from pathlib import Path
from escriba.audio.decode import decode_blocks
from escriba.audio.encode import AudioWriter
blocks = decode_blocks(Path(sys.argv[1]), channels="mixed", stop=lambda: False)
with AudioWriter(Path(sys.argv[2]), "flac", 1) as writer:
    for block in blocks:
        writer.write(block)
status = Path("/proc/self/status").read_text()
print(blocks.decoded_ms, int(status.split("VmHWM:")[1].split()[0]) // 1024)
"""


def decoded(source, target):
    """How much was decoded and encoded in a process of its own (ms), and its peak memory (MB)."""
    done = subprocess.run(
        [sys.executable, "-c", CODE, source, target],
        check=True,
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[3],
    )
    return map(int, done.stdout.split())


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="peak memory is read from /proc")
def test_an_hour_of_stereo_mp3_needs_no_more_memory_than_a_minute(make, tmp_path):
    untagged = {"write_xing": "0", "id3v2_version": "0"}
    minute = make("minute.mp3", "libmp3lame", 16_000, seconds=60, options=untagged)
    hour = tmp_path / "hour.mp3"
    hour.write_bytes(minute.read_bytes() * 60)

    _, little = decoded(minute, tmp_path / "minute.flac")
    decoded_ms, much = decoded(hour, tmp_path / "hour.flac")

    assert decoded_ms > 3_590_000
    assert much - little < MOST_MORE_MB
