"""The files of a model on the hub, or why it is unavailable."""

from dataclasses import dataclass

from .hub_files import RemoteFile
from .hub_revisions import pinned_revision

# without its tokenizer, faster-whisper would ask the hub for it at each start
NEEDED = ("config.json", "model.bin", "tokenizer.json")
WANTED = (*NEEDED, "preprocessor_config.json")
_DENIED = (401, 403)


class HubError(Exception):
    """A model is not available from the hub; the message is a clause without a capital."""


@dataclass(frozen=True)
class HubOffer:
    """A model at one commit of the hub: the pinned one, or the newest."""

    repository: str
    commit: str
    files: tuple[RemoteFile, ...]

    @property
    def size_bytes(self) -> int:
        """Total size of all files."""
        return sum(file.size_bytes for file in self.files)


def offer_of(name: str, token: str | None) -> HubOffer:
    """Look a model up on the hub.

    Raises:
        HubError: the hub does not answer, or has no such model.
    """
    from huggingface_hub import HfApi, hf_hub_url  # noqa: PLC0415

    repository = repository_of(name)
    try:
        info = HfApi(token=token).model_info(
            repository, revision=pinned_revision(repository), files_metadata=True, timeout=20
        )
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
        raise HubError(f"{repository} is not a CTranslate2 model: {missing[0]} is missing")
    return HubOffer(repository, commit, tuple(sorted(files, key=lambda file: file.size_bytes)))


def repository_of(name: str) -> str:
    """The repository of a short name.

    Raises:
        HubError: there is no such name.
    """
    from faster_whisper.utils import _MODELS  # noqa: PLC0415

    if "/" not in name and name not in _MODELS:
        raise HubError(f"{name} is not a known model; the known names are {', '.join(_MODELS)}")
    return str(_MODELS.get(name, name))


def why(repository: str, token: str | None, error: Exception) -> str:
    """Why a model is unavailable, without the token or an address that contains it."""
    status = getattr(getattr(error, "response", None), "status_code", None)
    if type(error).__name__ == "OfflineModeIsEnabled":
        return "HF_HUB_OFFLINE is set"
    if status in _DENIED:
        what = "with this token" if token else "without a token (HUGGINGFACE_TOKEN)"
        return f"the hub has no {repository}, or denies access {what} (HTTP {status})"
    if status is not None:
        return f"the hub answers HTTP {status} for {repository}"
    return f"the hub cannot be reached ({type(error).__name__})"
