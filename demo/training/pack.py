"""Pack a speech model folder into one archive, the same bytes for the same files.

    python -m demo.training.pack --speech whisper-demo --speaker speaker-demo.onnx --out demo/models

The full vocabulary compresses to a sixth of its size, so the archive is what the repository keeps.
The bytes depend on the version of liblzma too; SHA256SUMS tells what this archive is.
"""

import argparse
import hashlib
import lzma
import shutil
import tarfile
from pathlib import Path

ARCHIVE, SPEAKER, SUMS = "whisper-demo.tar.xz", "speaker-demo.onnx", "SHA256SUMS"
FOLDER = "whisper-demo"
STRONGEST = 9 | lzma.PRESET_EXTREME


def _plain(name: str, size: int) -> tarfile.TarInfo:
    """An entry with nothing of this machine: owner 0, time 0, mode 0644."""
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode, entry.mtime = size, 0o644, 0
    return entry


def write_archive(folder: Path, archive: Path) -> None:
    """Archive the files of `folder`, sorted by name, below the name whisper-demo/."""
    with (
        lzma.open(archive, "wb", preset=STRONGEST) as compressed,
        tarfile.open(fileobj=compressed, mode="w", format=tarfile.USTAR_FORMAT) as tar,
    ):
        for path in sorted(p for p in folder.iterdir() if p.is_file()):
            with path.open("rb") as content:
                tar.addfile(_plain(f"{FOLDER}/{path.name}", path.stat().st_size), content)


def write_sums(folder: Path) -> None:
    """Write SHA256SUMS of both models, as `sha256sum --check` reads it."""
    names = (SPEAKER, ARCHIVE)
    lines = [f"{hashlib.sha256((folder / n).read_bytes()).hexdigest()}  {n}\n" for n in names]
    (folder / SUMS).write_text("".join(lines))


def main() -> None:
    """Pack the two models that the command line names."""
    parser = argparse.ArgumentParser(description="Pack the demo models.")
    parser.add_argument("--speech", type=Path, required=True, help="folder with model.bin")
    parser.add_argument("--speaker", type=Path, required=True, help="the .onnx file")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    write_archive(options.speech, options.out / ARCHIVE)
    if options.speaker.resolve() != (options.out / SPEAKER).resolve():
        shutil.copyfile(options.speaker, options.out / SPEAKER)
    write_sums(options.out)
    print((options.out / SUMS).read_text(), end="")


if __name__ == "__main__":
    main()
