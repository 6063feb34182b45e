"""Links to files of the bucket: below FILES_URL for a browser, else the file's own address."""

from urllib.parse import quote

import dagster as dg

from escriba.settings import Settings
from resources.storage.base import Storage

from .events import Link


def linker(settings: Settings, storage: Storage) -> Link:
    """A function from a key to a link; never a presigned URL, since events are kept for long."""
    base = settings.files_url.rstrip("/")

    def link(key: str) -> dg.MetadataValue:
        if base:
            return dg.MetadataValue.url(f"{base}/{quote(key)}")
        return dg.MetadataValue.path(f"{storage.url}/{key}")

    return link
