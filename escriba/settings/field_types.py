"""Types of settings that several groups share, with the checks that belong to them."""

import re
from decimal import Decimal, InvalidOperation
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Final
from urllib.parse import urlsplit
from zoneinfo import available_timezones

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr

from escriba.mail_addresses import check_addresses

_BILLION: Final = 1_000_000_000  # the cost tables store limits as DECIMAL(18, 9)
_TIME_OF_DAY: Final = re.compile(r"([01]?\d|2[0-3]):[0-5]\d")


def comma_separated(text: str) -> tuple[str, ...]:
    """The parts of a comma-separated list, without blanks around them; empty parts are dropped."""
    return tuple(part.strip() for part in text.split(",") if part.strip())


def is_address(host: str) -> bool:
    """Whether a host is an IP address, not a name."""
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def check_length(secret: SecretStr, shortest: int) -> SecretStr:
    """Return a secret that people choose; an empty one is not set.

    Raises:
        ValueError: it has fewer than `shortest` characters.
    """
    if 0 < len(secret.get_secret_value()) < shortest:
        raise ValueError(f"choose one of at least {shortest} characters")
    return secret


def _absolute(path: Path) -> Path:
    return path.expanduser().absolute()


def _resolved(path: Path) -> Path:
    return path.expanduser().resolve()


def _check_plain_url(url: str) -> str:
    parts = urlsplit(url)
    if url and (parts.scheme not in {"http", "https"} or not parts.hostname):
        raise ValueError("write the URL as http://host:port or https://host")
    if parts.username or parts.password:
        raise ValueError("the URL must not contain credentials: each has its own setting")
    return url


def _check_header_key(key: SecretStr) -> SecretStr:
    text = key.get_secret_value().strip()
    if not (text.isascii() and text.isprintable()) or " " in text:
        raise ValueError(
            "it has a character that no key has, such as a space, a line break or '…': copy the "
            "whole key again"
        )
    return SecretStr(text)


def _check_time_of_day(text: str) -> str:
    if not _TIME_OF_DAY.fullmatch(text):
        raise ValueError(f"{text!r} is not a time of day such as 02:00")
    return text


def _check_timezone(name: str) -> str:
    if name not in available_timezones():
        raise ValueError(f"{name!r} is not a time zone such as America/Sao_Paulo")
    return name


def _check_address_list(text: str) -> str:
    check_addresses(comma_separated(text))
    return text


def _amount_or_none(value: object) -> object:
    if not isinstance(value, str):
        return value
    if value.strip().casefold() == "none":
        return None
    try:
        amount = Decimal(value.strip())
    except InvalidOperation:
        amount = Decimal("nan")
    if not amount.is_finite() or amount < 0:
        raise ValueError(
            f"{value!r} is not an amount in USD such as 12.50; write 'none' for no limit"
        )
    return amount


AbsolutePath = Annotated[Path, AfterValidator(_absolute)]
ResolvedPath = Annotated[Path, AfterValidator(_resolved)]  # absolute, with symbolic links followed
PlainUrl = Annotated[str, AfterValidator(_check_plain_url)]  # http(s), without credentials; or ""
HeaderKey = Annotated[SecretStr, AfterValidator(_check_header_key)]  # fit for an HTTP header
TimeOfDay = Annotated[str, AfterValidator(_check_time_of_day)]
TimezoneName = Annotated[str, AfterValidator(_check_timezone)]
AddressList = Annotated[str, AfterValidator(_check_address_list)]  # comma-separated
UsdLimit = Annotated[  # None: no limit
    Annotated[Decimal, Field(ge=0, lt=_BILLION)] | None, BeforeValidator(_amount_or_none)
]
