"""Download models into a folder while an image is built, verified and at a known revision.

`python bake_models.py FOLDER --speech NAME[@REVISION] --speakers NAME[@REVISION]`. It imports
nothing of this package, so the image's layer of models changes with a model, not with the code.
A worker finds the models in MODELS_FOLDER by name.
"""

import argparse
import json
import re
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SPEECH_FILES = ("config.json", "preprocessor_config.json", "model.bin", "tokenizer.json")
SPEECH_PATTERNS = (*SPEECH_FILES, "vocabulary.*")
# without its tokenizer, faster-whisper asks the hub at each start, which an image must not do
SPEECH_NEEDED = ("config.json", "model.bin", "tokenizer.json")
SPEAKERS_NEEDED = ("config.yaml",)
_PARTS = re.compile(r"^\s*(?:segmentation|embedding|plda):\s*[\"']?([\w.-]+/[\w.-]+)", re.MULTILINE)
_GATED = (401, 403)


class BakeError(Exception):
    """A model is not available: which, why, and what to do."""


@dataclass(frozen=True)
class BakeRequest:
    """A model's name and revision."""

    name: str
    revision: str = "main"

    @classmethod
    def parse(cls, text: str) -> "BakeRequest":
        """Parse NAME or NAME@REVISION."""
        name, _, revision = text.partition("@")
        return cls(name, revision or "main")


def main() -> int:
    """Entry point; exit status 1 with a message if a model is incomplete."""
    parser = argparse.ArgumentParser(prog="bake", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument(
        "--speech", type=BakeRequest.parse, help="speech model, such as large-v3-turbo"
    )
    parser.add_argument("--speakers", type=BakeRequest.parse, help="pipeline of pyannote")
    parser.add_argument(
        "--token-file", type=Path, help="file with a token of the hub, for gated models"
    )
    given = parser.parse_args()
    try:
        token = _token(given.token_file)
        baked = {
            **(_speech(given.folder, given.speech, token) if given.speech else {}),
            **(_speakers(given.folder, given.speakers, token) if given.speakers else {}),
        }
    except BakeError as error:
        sys.stderr.write(f"bake: {error}\n")
        return 1
    (given.folder / "baked.json").write_text(json.dumps(baked, indent=2) + "\n")
    sys.stdout.write(json.dumps(baked) + "\n")
    return 0


def _token(file: Path | None) -> str | None:
    """The token; None if there is no file, which is fine for models without terms."""
    if file is None or not file.is_file():
        return None
    return file.read_text().strip() or None


def _speech(folder: Path, wanted: BakeRequest, token: str | None) -> dict[str, str]:
    from faster_whisper.utils import _MODELS  # noqa: PLC0415  # the repositories of short names

    if "/" not in wanted.name and wanted.name not in _MODELS:
        raise BakeError(
            f"{wanted.name} is not a model of faster-whisper. Choose one of {', '.join(_MODELS)}"
        )
    repository = _MODELS.get(wanted.name, wanted.name)
    target = folder / wanted.name
    return {wanted.name: _fetch(repository, wanted.revision, target, token, SPEECH_NEEDED)}


def _speakers(folder: Path, wanted: BakeRequest, token: str | None) -> dict[str, str]:
    """Download the pipeline and the models of other repositories named in its config.yaml."""
    target = folder / wanted.name
    baked = {wanted.name: _fetch(wanted.name, wanted.revision, target, token, SPEAKERS_NEEDED)}
    for part in _PARTS.findall((target / "config.yaml").read_text()):
        if not part.startswith("$model"):
            baked[part] = _fetch(part, "main", folder / part, token, ())
    return baked


def _fetch(
    repository: str, revision: str, target: Path, token: str | None, needed: tuple[str, ...]
) -> str:
    """Download into `target` and verify every checksum with the hub; returns the commit."""
    from huggingface_hub import HfApi, snapshot_download  # noqa: PLC0415

    hub = HfApi(token=token or False)
    patterns = list(SPEECH_PATTERNS) if needed == SPEECH_NEEDED else None
    try:
        commit = str(hub.model_info(repository, revision=revision).sha)
        snapshot_download(
            repository,
            revision=commit,
            local_dir=target,
            allow_patterns=patterns,
            token=token or False,
        )
        shutil.rmtree(target / ".cache", ignore_errors=True)
        checked: Any = hub.verify_repo_checksums(repository, revision=commit, local_dir=target)
    except Exception as error:
        raise BakeError(_sentence(repository, revision, token, error)) from error
    torn = [each["path"] for each in checked.mismatches]
    missing = [name for name in needed if not (target / name).is_file()]
    if torn or missing:
        raise BakeError(
            f"{repository} is incomplete: {', '.join(torn + missing)}. Build again; if that does "
            "not help, the repository is not a model of the requested kind."
        )
    return commit


def _sentence(repository: str, revision: str, token: str | None, error: Exception) -> str:
    """Why a download failed and what to do, without the token or an address that contains it."""
    response = getattr(error, "response", None)
    status = getattr(response, "status_code", None)
    if status in _GATED and not token:
        return (
            f"the hub denies access to {repository} without a token (HTTP {status}). Accept its "
            f"terms on hf.co/{repository}, and build with --secret id=hf_token,src=FILE, where "
            "FILE holds a token of the same account. A wrong name gets the same answer."
        )
    if status in _GATED:
        return (
            f"the hub denies this token access to {repository} (HTTP {status}): its account has "
            f"not accepted the terms on hf.co/{repository}, or the token is wrong or too narrow."
        )
    if status is not None:
        return f"the hub answers HTTP {status} for {repository}@{revision}: check both names."
    return (
        f"{repository}@{revision} could not be downloaded ({type(error).__name__}): the build "
        "needs the network and free disk space."
    )


if __name__ == "__main__":
    sys.exit(main())
