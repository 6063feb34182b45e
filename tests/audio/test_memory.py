import subprocess
import sys
from pathlib import Path

import pytest

BOUND_MB = 80
CODE = """
import sys
from pathlib import Path
from pipelines.speech.decode import decode_blocks
from pipelines.speech.encode import AudioWriter
blocks = decode_blocks(Path(sys.argv[1]), channels="mixed", stop=lambda: False)
with AudioWriter(Path(sys.argv[2]), "flac", 1) as writer:
    for block in blocks:
        writer.write(block)
assert blocks.decoded_ms > 3_590_000
status = Path("/proc/self/status").read_text()
print(int(status.split("VmHWM:")[1].split()[0]) // 1024)
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="peak memory is read from /proc")
def test_an_hour_of_stereo_mp3_needs_no_more_memory_than_a_minute(make, tmp_path):
    untagged = {"write_xing": "0", "id3v2_version": "0"}
    hour = make("hour.mp3", "libmp3lame", 16_000, seconds=60, options=untagged)
    hour.write_bytes(hour.read_bytes() * 60)
    done = subprocess.run(
        [sys.executable, "-c", CODE, hour, tmp_path / "out.flac"],
        check=True,
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    assert int(done.stdout) < BOUND_MB
