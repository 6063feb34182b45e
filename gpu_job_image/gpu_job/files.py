"""Objects that are files of this machine: written whole or not at all."""

import os
import secrets
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

from .contract import Address


def path_of(address: Address) -> Path | None:
    """The file that an address means; None where it is somewhere else."""
    url = urlsplit(address.url)
    return Path(url2pathname(url.path)) if url.scheme == "file" else None


def write(path: Path, body: bytes, drafts: str, *, create: bool) -> bool:
    """Replace the file, or `create` it; False where it exists already. Atomic, and on disk."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(drafts or path.parent) / f".{path.name}.{secrets.token_hex(6)}"
    try:
        with draft.open("wb") as file:
            file.write(body)
            file.flush()
            os.fsync(file.fileno())
        if not create:
            draft.replace(path)
            return True
        path.hardlink_to(draft)
    except FileExistsError:
        return False
    finally:
        draft.unlink(missing_ok=True)
    return True
