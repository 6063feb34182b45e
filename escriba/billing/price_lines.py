"""The lines of a price book file."""

from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from pathlib import Path

from escriba.errors import EscribaError

from .dated_rows import DatedTable, day, parse_end_day, positive, read_seed

# seconds in one unit; audio is priced by its own length
UNIT_SECONDS = {"gpu_second": 1, "machine_hour": 3600, "audio_minute": 60}


class PriceBookError(EscribaError, ValueError):
    """A line of the price book is invalid; names the line."""


ADD_ONS = ("storage", "network")  # the bill's categories of what comes with a leased machine

_SEED = DatedTable(
    "prices",
    "PRICE_BOOK",
    ". Set it to a CSV file of prices, or leave PRICE_BOOK empty to use the built-in one.",
    PriceBookError,
)


@dataclass(frozen=True, slots=True)
class Price:
    """One line: valid from `valid_from` (inclusive) to `valid_to` (exclusive), UTC.

    minimum_seconds: the shortest audio that a request is billed for. list_price_usd: the
    on-demand price of a spot line. active_price_usd: the price of a warm worker. currency: the
    provider's currency; if not USD, rate_source names the exchange rate. add_on: empty for a
    machine or audio; otherwise each leased machine of the backend also costs this, in this category
    of the bill. beside_usd_per_hour: the add-ons of a machine.
    """

    backend: str
    sku: str
    unit: str
    price_usd: Decimal
    valid_from: datetime
    valid_to: datetime
    source: str
    minimum_seconds: Decimal = Decimal(0)
    list_price_usd: Decimal | None = None
    active_price_usd: Decimal | None = None
    currency: str = "USD"
    rate_source: str = ""
    add_on: str = ""
    beside_usd_per_hour: Decimal = Decimal(0)

    @property
    def name(self) -> str:
        """Backend and sku, such as runpod/l4."""
        return f"{self.backend}/{self.sku}"

    @property
    def usd_per_hour(self) -> Decimal:
        """USD per hour of machine time, or of audio for an `audio_minute`."""
        return self.price_usd * (3600 // UNIT_SECONDS[self.unit])

    @property
    def active(self) -> "Price":
        """The line at its active price, for a warm worker; unchanged if it has none."""
        if self.active_price_usd is None:
            return self
        return replace(self, price_usd=self.active_price_usd, currency="USD")

    def cost_usd(self, seconds: Decimal) -> Decimal:
        """The cost of `seconds`, or of the billed minimum; 0 seconds cost nothing.

        Unrounded, and divided last, so that halves of a nano-dollar are exact.
        """
        paid = max(seconds, self.minimum_seconds) if seconds else seconds
        return paid * self.price_usd / UNIT_SECONDS[self.unit]

    def leased_usd(self, seconds: Decimal) -> Decimal:
        """The cost of `seconds` with the disk and the address of a leased machine; unrounded."""
        return self.cost_usd(seconds) + seconds * self.beside_usd_per_hour / 3600

    def at(self, when: datetime) -> "Price":  # noqa: ARG002  # as in Tariff
        """The price itself, which applies at any time."""
        return self


def read_lines(path: Path) -> tuple[Price, ...]:
    """The lines of a CSV file; `price_usd` of a line is in its own currency.

    Raises:
        PriceBookError: the file or a line cannot be read, or two lines overlap.
    """
    return read_seed(path, _SEED, _price)


def _price(line: dict[str, str]) -> Price:
    currency = line.get("currency") or "USD"
    column = "price_usd" if currency == "USD" else "price"
    return Price(
        backend=line["backend"],
        sku=line["sku"],
        unit=_unit(line["unit"]),
        price_usd=positive(line[column], column),
        valid_from=day(line["valid_from"]),
        valid_to=parse_end_day(line["valid_to"]),
        source=line["source"],
        minimum_seconds=_minimum(line),
        list_price_usd=_other(line, "list_price_usd"),
        active_price_usd=_other(line, "active_price_usd"),
        currency=currency,
        add_on=_add_on(line),
    )


def _other(line: dict[str, str], column: str) -> Decimal | None:
    text = line.get(column)
    return positive(text, column) if text else None


def _add_on(line: dict[str, str]) -> str:
    found = line.get("add_on") or ""
    if found and (found not in ADD_ONS or line["unit"] != "machine_hour"):
        raise ValueError(
            f"add_on {found!r} is not one of {', '.join(ADD_ONS)}, with the unit machine_hour"
        )
    return found


def _minimum(line: dict[str, str]) -> Decimal:
    least = _other(line, "minimum_seconds") or Decimal(0)
    if least and line["unit"] != "audio_minute":
        raise ValueError("minimum_seconds applies only to audio_minute: leave it empty")
    return least


def _unit(text: str) -> str:
    if text not in UNIT_SECONDS:
        raise ValueError(f"unit {text!r} is not one of {', '.join(UNIT_SECONDS)}")
    return text
