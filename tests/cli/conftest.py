import os
import subprocess
import sys
from pathlib import Path

HOUSE = Path(__file__).resolve().parents[2]
MEDIA = HOUSE / "demo" / "recordings"
FILES = sorted(path for path in MEDIA.iterdir() if path.suffix in {".mp3", ".mp4", ".m4a"})
DONE_SECONDS = 600  # for machines that have a lot else to do


def escriba(*arguments, cwd, **environment):
    """Run the command; its exit status, output and complaints."""
    return subprocess.run(
        [sys.executable, "-m", "cli", *map(str, arguments)],
        cwd=cwd,
        env=os.environ | {"PYTHONPATH": str(HOUSE)} | environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=DONE_SECONDS,
    )
