"""Which keys of the bucket the files page reads at all."""

import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

from resources.storage.base import Storage

_IMPOSSIBLE = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_MOST_BYTES = 1_024  # of a key, in S3 and GCS
_MOST_NAME_BYTES = 255  # of a file in a local folder


def is_key(key: str) -> bool:
    """Return whether a store can have such a key: no control character, no name too long."""
    if _IMPOSSIBLE.search(key) or ".." in key.split("/"):
        return False
    names = key.encode().split(b"/")
    is_short = sum(map(len, names)) + len(names) <= _MOST_BYTES
    return is_short and all(len(name) <= _MOST_NAME_BYTES for name in names)


def is_behind_link(storage: Storage, key: str) -> bool:
    """Return whether a link in a local bucket leads to the key, perhaps out of the bucket.

    Whoever may write into the folder could plant one; a store in the cloud has none.
    """
    url = urlsplit(storage.url)
    if url.scheme != "file":
        return False
    root = Path(unquote(url.path)).resolve()
    return (root / key).resolve() != root / key.rstrip("/")
