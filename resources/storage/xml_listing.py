"""Listing a bucket with keys that obstore cannot parse, one page at a time, by signed URLs.

For GCS and Azure, which both send XML; boto3 lists S3 (docs/decisions/0002).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import unquote
from xml.etree import ElementTree as ET

from resources.http.hide_urls import hide_urls

from .base import StorageError, StoredObject, UnusableObject
from .etags import version_of

_TIMEOUT_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class XmlPage:
    """The element names of one cloud's listing."""

    entry: str
    name: str
    size: str
    etag: str
    modified: str
    next_marker: str
    url_encoded: bool = False


def list_pages(
    page_url: Callable[[str], str], shape: XmlPage, below: str, prefix: str
) -> Iterator[StoredObject | UnusableObject]:
    """Every key, relative to `below`. page_url: the signed URL of the page after a marker."""
    marker, more = "", True
    while more:
        page = _page(page_url(marker), prefix)
        for entry in page.findall(f".//{{*}}{shape.entry}"):  # in any namespace
            found = _stored(entry, shape, below)
            if not found.key.endswith("/"):  # consoles create such keys for empty folders
                yield found
        marker = _text(page, shape.next_marker)
        more = bool(marker)


def _page(url: str, prefix: str) -> ET.Element:
    import httpx  # noqa: PLC0415  # rarely needed

    hide_urls()
    try:
        answer = httpx.get(url, timeout=_TIMEOUT_SECONDS)
        if answer.is_success:
            return ET.fromstring(answer.content)  # noqa: S314  # our own bucket's listing
    except httpx.HTTPError as error:
        why = type(error).__name__
    except ET.ParseError:
        why = "it contains a key that XML cannot hold"
    else:
        why = f"status {answer.status_code}; the credentials need permission to list"
    raise StorageError(f"{prefix!r} cannot be listed: {why} (check STORAGE_URL)")


def _stored(entry: ET.Element, shape: XmlPage, below: str) -> StoredObject:
    name, key = entry.find(f"{{*}}{shape.name}"), _text(entry, shape.name)
    # Azure marks names that XML cannot hold
    if shape.url_encoded or (name is not None and name.get("Encoded") == "true"):
        key = unquote(key)
    size, modified = int(_text(entry, shape.size)), _time(_text(entry, shape.modified))
    etag = version_of(_text(entry, shape.etag), size, modified)
    return StoredObject(key.removeprefix(below), size, etag, modified)


def _time(text: str) -> datetime:
    """The time of an entry: ISO 8601 from Google, an HTTP date from Azure."""
    if "," in text:
        return parsedate_to_datetime(text)
    return datetime.fromisoformat(text).astimezone(UTC)


def _text(element: ET.Element, name: str) -> str:
    found = element.find(f".//{{*}}{name}")
    return "" if found is None or found.text is None else found.text
