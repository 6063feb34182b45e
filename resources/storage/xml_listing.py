"""Lists a bucket that holds keys which obstore cannot parse, page by page, by signed URLs.

For GCS and Azure, which both answer in XML; S3 is listed by boto3 (docs/decisions/0002).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import unquote
from xml.etree import ElementTree as ET

from resources.http_log import hide_addresses

from .base import Oddity, StorageError, Stored

_TIMEOUT_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Page:
    """What the parts of one cloud's listing are called."""

    entry: str
    name: str
    size: str
    etag: str
    modified: str
    next_marker: str
    url_encoded: bool = False


def list_pages(
    page_url: Callable[[str], str], shape: Page, below: str, prefix: str
) -> Iterator[Stored | Oddity]:
    """Every key, relative to `below`. `page_url` signs the page that comes after a marker."""
    marker, more = "", True
    while more:
        page = _page(page_url(marker), prefix)
        for entry in page.findall(f".//{{*}}{shape.entry}"):  # in whatever namespace
            found = _stored(entry, shape, below)
            if not found.key.endswith("/"):  # what consoles make for an empty folder
                yield found
        marker = _text(page, shape.next_marker)
        more = bool(marker)


def _page(url: str, prefix: str) -> ET.Element:
    import httpx  # noqa: PLC0415  # rarely needed

    hide_addresses()
    try:
        answer = httpx.get(url, timeout=_TIMEOUT_SECONDS)
        if answer.is_success:
            return ET.fromstring(answer.content)  # noqa: S314  # our own bucket's listing
    except httpx.HTTPError as error:
        why = type(error).__name__
    except ET.ParseError:
        why = "a key is in it that XML cannot hold"
    else:
        why = f"status {answer.status_code}; the credentials need leave to list"
    raise StorageError(f"{prefix!r} cannot be listed: {why}")


def _stored(entry: ET.Element, shape: Page, below: str) -> Stored:
    name, key = entry.find(f"{{*}}{shape.name}"), _text(entry, shape.name)
    # Azure says so of the names that XML cannot hold
    if shape.url_encoded or (name is not None and name.get("Encoded") == "true"):
        key = unquote(key)
    etag, size = _text(entry, shape.etag).strip('"'), int(_text(entry, shape.size))
    return Stored(key.removeprefix(below), size, etag, _time(_text(entry, shape.modified)))


def _time(text: str) -> datetime:
    """Google writes ISO 8601; Azure as HTTP does."""
    if "," in text:
        return parsedate_to_datetime(text)
    return datetime.fromisoformat(text).astimezone(UTC)


def _text(element: ET.Element, name: str) -> str:
    found = element.find(f".//{{*}}{name}")
    return "" if found is None or found.text is None else found.text
