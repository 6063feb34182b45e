"""What a store said about a refused request: status, error code and message.

obstore's errors quote whole requests, URLs and credentials included. Only the two elements of the
store's own XML document that are meant for people are kept, and cleaned.
"""

import re
from dataclasses import dataclass
from html import unescape
from typing import Final

_STATUS: Final = re.compile(r"status code: (\d{3})")
_CODE: Final = re.compile(r"<Code>\s*([\w.-]{1,80})\s*</Code>")
_MESSAGE: Final = re.compile(r"<Message>(.*?)</Message>", re.DOTALL)
_REGION: Final = re.compile(r"<Region>\s*([a-z0-9-]{2,30})\s*</Region>")
_ENDPOINT_REGION: Final = re.compile(r"<Endpoint>[^<]*\bs3[.-]([a-z]{2}-[a-z0-9-]+-\d)\.[^<]*<")
_DEBUG: Final = "Debug source"  # from here on obstore prints the request
_REDIRECT: Final = "Received redirect without LOCATION"
_ADDRESS: Final = re.compile(r"\S*://\S*")
_SECRET: Final = re.compile(r"\S*(?:signature|credential|token|sig|key)=\S*", re.IGNORECASE)
_NOT_IMPLEMENTED: Final = 501
_SHORT: Final = 160  # characters of a message that are kept


@dataclass(frozen=True, slots=True)
class StoreAnswer:
    """A store's own words. status: of HTTP, 0 if unknown. region: the one that it names."""

    status: int = 0
    code: str = ""
    message: str = ""
    region: str = ""

    @property
    def is_not_implemented(self) -> bool:
        """Whether the store does not implement the request, or one of its headers."""
        return self.status == _NOT_IMPLEMENTED or self.code == "NotImplemented"

    @property
    def quoted(self) -> str:
        """Code and message in brackets, after a blank; empty if the store said nothing."""
        said = ": ".join(part for part in (self.code, self.message) if part)
        return f" (the store said {said.rstrip('.')})" if said else ""


def answer_of(error: Exception) -> StoreAnswer:
    """The answer that an error of obstore describes."""
    text = str(error).partition(_DEBUG)[0]
    if _REDIRECT in text:
        return StoreAnswer(status=301)
    found = _STATUS.search(text)
    return answer_in(text, int(found[1]) if found else 0)


def answer_in(text: str, status: int) -> StoreAnswer:
    """The answer in a text that holds the store's XML document, or none."""
    code, message = _CODE.search(text), _MESSAGE.search(text)
    region = _REGION.search(text) or _ENDPOINT_REGION.search(text)
    return StoreAnswer(
        status,
        code[1] if code else "",
        _plain(message[1]) if message else "",
        region[1] if region else "",
    )


def _plain(message: str) -> str:
    """The first line, without addresses and what may be secret, and with no unprintable letter."""
    first = unescape(message).strip().partition("\n")[0]
    shown = "".join(letter if letter.isprintable() else " " for letter in first)
    hidden = _SECRET.sub("…", _ADDRESS.sub("…", shown)).strip()
    return hidden if len(hidden) <= _SHORT else f"{hidden[: _SHORT - 1]}…"
