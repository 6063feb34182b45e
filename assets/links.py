"""Where people find a file of the bucket: by FILES_URL in a browser, else by its own address."""

from urllib.parse import quote

import dagster as dg

from pipelines.settings import Settings
from resources.storage.base import Storage

from .events import Link


def linker(settings: Settings, storage: Storage) -> Link:
    """A function from a key to a link. Never a presigned URL: events are kept for long."""
    base = settings.files_url.rstrip("/")

    def link(key: str) -> dg.MetadataValue:
        if base:
            return dg.MetadataValue.url(f"{base}/{quote(key)}")
        return dg.MetadataValue.path(f"{storage.url}/{key}")

    return link
