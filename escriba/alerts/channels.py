"""ALERT_CHANNELS: where alerts go, by name."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import parse_qsl, unquote, urlsplit

from escriba.mail_addresses import check_addresses

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
TEAMS_HOSTS: Final = (".logic.azure.com", ".powerplatform.com")
# `services` of Slack, `triggers` and `2016-06-01` of Teams: no text should lack these words
_NO_TOKEN: Final = re.compile(r"[a-z]{1,15}|(?:/[a-z]{1,15})+|\d{4}-\d\d-\d\d")
_SHORTEST_SECRET: Final = 8  # of a URL's parts; a shorter one is a word


@dataclass(frozen=True, slots=True)
class Channel:
    """A place that gets messages. url: secret, since most contain a token."""

    name: str
    url: str = field(repr=False)

    @property
    def scheme(self) -> str:
        """What stands before the colon: https, pagerduty, mail or another one of apprise's."""
        return self.url.partition(":")[0].lower()

    @property
    def kind(self) -> str:
        """For people: slack, teams, webhook, pagerduty, mail or another one of apprise's."""
        host = self.host
        if host == "hooks.slack.com":
            return "slack"
        if host.endswith(TEAMS_HOSTS) or self.scheme in {"workflow", "workflows", "msteams"}:
            return "teams"
        return "webhook" if self.scheme in {"http", "https", "json", "jsons"} else self.scheme

    @property
    def host(self) -> str:
        """Of an http or https URL; else empty."""
        return urlsplit(self.url).hostname or "" if self.scheme in {"http", "https"} else ""

    @property
    def is_pager(self) -> bool:
        """Whether it calls somebody: only critical alerts go there, and no digests."""
        return self.scheme == "pagerduty"

    @property
    def addresses(self) -> tuple[str, ...]:
        """The recipients of a `mail:` channel."""
        listed = self.url.partition(":")[2].split(",")
        return tuple(one.strip() for one in listed if one.strip()) if self.scheme == "mail" else ()


def read_channels(text: str) -> tuple[Channel, ...]:
    """The channels of `name=URL name=URL`.

    Raises:
        ValueError: one cannot be read, or a name is used twice; never shows a URL.
    """
    found: dict[str, Channel] = {}
    for position, word in enumerate(text.split(), start=1):
        name, _, url = word.partition("=")
        if not _NAME.fullmatch(name):
            raise ValueError(
                f"channel {position} has no name of small letters, digits, - and _: write it as "
                "ops=https://hooks.slack.com/…"
            )
        if name in found:
            raise ValueError(f"{name} is the name of two channels")
        found[name] = _checked(Channel(name, url))
    return tuple(found.values())


def _checked(channel: Channel) -> Channel:
    rest = channel.url.partition(":")[2]
    if channel.scheme == "mail":
        if not channel.addresses:
            raise ValueError(f"{channel.name} has no address: write mail:name@example.org")
        check_addresses(channel.addresses)
    elif not (channel.scheme and rest.startswith("//") and rest.strip("/") and _is_url(channel)):
        raise ValueError(f"{channel.name} has no URL such as https://…, pagerduty://… or mail:…")
    return channel


def _is_url(channel: Channel) -> bool:
    try:
        return urlsplit(channel.url).port != 0  # reading the port checks it
    except ValueError:
        return False


def secrets_in(channels: Iterable[Channel]) -> list[str]:
    """Each URL, and those of its parts that may be a token; none of a mail address."""
    return [part for one in channels if one.scheme != "mail" for part in _parts(one.url)]


def _parts(url: str) -> Iterator[str]:
    yield url
    try:
        parts = urlsplit(url)
    except ValueError:
        return
    words = [parts.username or "", parts.password or ""]
    rest = [*parts.path.split("/"), *(value for _, value in parse_qsl(parts.query))]
    words += [word for word in rest if not _NO_TOKEN.fullmatch(word)]
    if parts.scheme not in {"http", "https", "json", "jsons", "mailto", "mailtos"}:
        words.append(parts.netloc)  # of slack:// or pagerduty:// it is a token
    yield from (word for one in words if len(word := unquote(one)) >= _SHORTEST_SECRET)


def channels_for(
    channels: Iterable[Channel], tenant: str, of_tenants: dict[str, tuple[str, ...]]
) -> tuple[Channel, ...]:
    """The channels that get a message about a tenant, or about the house (an empty name).

    of_tenants: names of each tenant's own channels. They get what concerns that tenant and
    nothing else; all other channels get everything.
    """
    claimed = {name for names in of_tenants.values() for name in names}
    own = set(of_tenants.get(tenant, ()))
    return tuple(one for one in channels if one.name not in claimed or one.name in own)
