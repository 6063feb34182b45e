"""The URL by which apprise reaches a channel."""

from typing import Final
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

from escriba.alerts.channels import Channel

_POSTED: Final = {"http": "json", "https": "jsons"}


def apprise_url(channel: Channel, alert: str = "") -> str:
    """The URL; JSON is posted to an address that is no service's own.

    alert: the key by which a pager finds the incident that it opened, to close it.
    """
    parts = urlsplit(channel.url)
    if channel.is_pager:
        key, _, token = parts.netloc.partition("@")
        known = dict(parse_qsl(parts.query)) | {"action": "map", "dedup": alert or "escriba"}
        # the events API needs no token besides the integration key, but apprise wants a text
        return f"pagerduty://{key}@{token or 'none'}/Escriba?{urlencode(known, quote_via=quote)}"
    if parts.scheme not in _POSTED or channel.kind != "webhook":
        return channel.url
    # apprise takes a bare name in the query for its own option: '-' passes it on
    query = urlencode([(f"-{name}", value) for name, value in parse_qsl(parts.query)])
    return urlunsplit((_POSTED[parts.scheme], parts.netloc, parts.path, query, ""))
