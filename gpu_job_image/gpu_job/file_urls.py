"""Objects that are files on this machine, written atomically."""

import os
import secrets
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

from .contract import Address


def path_of(address: Address) -> Path | None:
    """The path of a file:// address; None for other addresses."""
    url = urlsplit(address.url)
    return Path(url2pathname(url.path)) if url.scheme == "file" else None


def write(path: Path, body: bytes, drafts: str, *, create: bool) -> bool:
    """Replace the file, or `create` it; False if it exists. Atomic and synced to disk."""
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
