"""What the hub has under a name of a model, or why it cannot be had."""

from dataclasses import dataclass

from .hub_files import RemoteFile

# by name alone faster-whisper would ask the hub for the tokenizer at each start
NEEDED = ("config.json", "model.bin", "tokenizer.json")
WANTED = (*NEEDED, "preprocessor_config.json")
_DENIED = (401, 403)


class HubError(Exception):
    """A model could not be had from the hub: why, in the middle of a sentence."""


@dataclass(frozen=True)
class Offer:
    """A model as the hub has it now."""

    repository: str
    commit: str
    files: tuple[RemoteFile, ...]

    @property
    def size_bytes(self) -> int:
        """All files together."""
        return sum(file.size_bytes for file in self.files)


def offer_of(name: str, token: str | None) -> Offer:
    """What the hub has under a name.

    Raises:
        HubError: it does not answer, or has no such model.
    """
    from huggingface_hub import HfApi, hf_hub_url  # noqa: PLC0415

    repository = repository_of(name)
    try:
        info = HfApi(token=token).model_info(repository, files_metadata=True, timeout=20)
    except Exception as error:
        raise HubError(why(repository, token, error)) from error
    commit = str(info.sha)
    files = [
        RemoteFile(
            each.rfilename,
            hf_hub_url(repository, each.rfilename, revision=commit),
            int(each.size or 0),
            sha256=each.lfs.sha256 if each.lfs else "",
            git_sha1=each.blob_id or "",
        )
        for each in info.siblings or ()
        if each.rfilename in WANTED or each.rfilename.startswith("vocabulary.")
    ]
    missing = [needed for needed in NEEDED if needed not in {file.name for file in files}]
    if missing:
        raise HubError(f"{repository} is no CTranslate2 model: it has no {missing[0]}")
    return Offer(repository, commit, tuple(sorted(files, key=lambda file: file.size_bytes)))


def repository_of(name: str) -> str:
    """Which repository a short name means.

    Raises:
        HubError: there is no such name.
    """
    from faster_whisper.utils import _MODELS  # noqa: PLC0415

    if "/" not in name and name not in _MODELS:
        raise HubError(f"{name} is no model of the hub; there are {', '.join(_MODELS)}")
    return str(_MODELS.get(name, name))


def why(repository: str, token: str | None, error: Exception) -> str:
    """What stands in the way, never with the token or an address that holds one."""
    status = getattr(getattr(error, "response", None), "status_code", None)
    if type(error).__name__ == "OfflineModeIsEnabled":
        return "HF_HUB_OFFLINE is set"
    if status in _DENIED:
        what = "to this token" if token else "without a token (HUGGINGFACE_TOKEN)"
        return f"the hub has no {repository}, or does not give it {what} (HTTP {status})"
    if status is not None:
        return f"the hub answers HTTP {status} for {repository}"
    return f"the hub cannot be reached ({type(error).__name__})"
