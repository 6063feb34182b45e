"""Which keys of the bucket the files page reads at all."""

import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

from resources.storage.base import Storage

_IMPOSSIBLE = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_MOST_BYTES = 1_024  # of a key, in S3 and GCS
_MOST_NAME_BYTES = 255  # of a file in a local folder


def is_key(storage: Storage, key: str) -> bool:
    """Return whether the store can have such a key: no control character, no name too long."""
    if _IMPOSSIBLE.search(key) or ".." in key.split("/"):
        return False
    encoded = key.encode()
    if len(encoded) > _MOST_BYTES:
        return False
    longest = max(map(len, encoded.split(b"/")))
    return longest <= _MOST_NAME_BYTES or not _is_folder(storage)


def is_behind_link(storage: Storage, key: str) -> bool:
    """Return whether a link in a local bucket leads to the key, perhaps out of the bucket.

    Whoever may write into the folder could plant one; a store in the cloud has none.
    """
    if not _is_folder(storage):
        return False
    root = Path(unquote(urlsplit(storage.url).path)).resolve()
    return (root / key).resolve() != root / key.rstrip("/")


def _is_folder(storage: Storage) -> bool:
    return urlsplit(storage.url).scheme == "file"
