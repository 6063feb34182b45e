"""Print the changelog's section of a tag, or say why there is none: `release_notes.py v0.2.0`."""

import re
import sys
import tomllib
from pathlib import Path

HOUSE = Path(__file__).resolve().parents[1]
VERSIONED = ("pyproject.toml", "gpu_job_image/pyproject.toml")


def main() -> int:
    """Entry point; the exit status is 1 where the tag is no release."""
    try:
        sys.stdout.write(release_notes(HOUSE, sys.argv[1].removeprefix("v")))
    except ValueError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


def release_notes(house: Path, version: str) -> str:
    """Return the text below `## [version] - date`.

    Raises:
        ValueError: a pyproject.toml has another version, or the changelog has no such section.
    """
    for name in VERSIONED:
        has = tomllib.loads((house / name).read_text("utf-8"))["project"]["version"]
        if has != version:
            raise ValueError(f"The tag is {version}, but {name} has version {has}.")
    heading = rf"^## \[{re.escape(version)}\] - \d{{4}}-\d\d-\d\d\n(.*?)(?=^## \[|\Z)"
    found = re.search(
        heading, (house / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE | re.DOTALL
    )
    if found is None or not found.group(1).strip():
        raise ValueError(f"CHANGELOG.md has no section `## [{version}] - YYYY-MM-DD` with text.")
    return found.group(1).strip() + "\n"


if __name__ == "__main__":
    sys.exit(main())
