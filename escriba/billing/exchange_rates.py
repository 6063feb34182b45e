"""Exchange rates by date: `dbt_costs/seeds/exchange_rates.csv`, which dbt reads too."""

from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_EVEN, Decimal
from pathlib import Path

from escriba.errors import EscribaError

from .dated_rows import NANODOLLAR, DatedTable, day, parse_end_day, positive, read_seed


class ExchangeRateError(EscribaError, ValueError):
    """A rate is missing, or a line of the table is invalid; names it."""


_ASSUMED = "assum"  # assumption, assumed
_SEED = DatedTable("rates", "EXCHANGE_RATES", ".", ExchangeRateError)


@dataclass(frozen=True, slots=True)
class Rate:
    """USD for one unit of a currency, from `valid_from` (inclusive) to `valid_to` (exclusive)."""

    currency: str
    usd_per_unit: Decimal
    valid_from: datetime
    valid_to: datetime
    source: str

    @property
    def name(self) -> str:
        """The currency."""
        return self.currency

    @property
    def is_assumed(self) -> bool:
        """Whether its source says that the rate is an assumption."""
        return self.source.casefold().startswith(_ASSUMED)

    @property
    def description(self) -> str:
        """The rate with its date and source, for readers of converted amounts."""
        kind = "assumed rate" if self.is_assumed else "rate"
        return (
            f"{kind} from EXCHANGE_RATES: 1 {self.currency} = "
            f"{self.usd_per_unit.normalize():f} USD since {self.valid_from:%Y-%m-%d} "
            f"({self.source})"
        )


@dataclass(frozen=True)
class ExchangeRates:
    """All rates; those of one currency never overlap."""

    rates: tuple[Rate, ...]

    def usd(self, amount: Decimal, currency: str, when: datetime) -> Decimal:
        """The amount in USD at the rate of `when`, to the nano-dollar.

        Raises:
            ExchangeRateError: no rate is valid then.
        """
        rate = self.at(currency, when)
        return (amount * rate.usd_per_unit).quantize(NANODOLLAR, ROUND_HALF_EVEN)

    def at(self, currency: str, when: datetime) -> Rate:
        """The rate of a currency at `when`.

        Raises:
            ExchangeRateError: none is valid then.
        """
        for rate in self.rates:
            if rate.currency == currency and rate.valid_from <= when < rate.valid_to:
                return rate
        raise ExchangeRateError(
            f"no exchange rate for {currency!r} on {when:%Y-%m-%d}: add a line to the table "
            "EXCHANGE_RATES"
        )


def read_exchange_rates(path: Path) -> ExchangeRates:
    """The rates in a CSV file with the columns of `Rate`; an empty valid_to means no end.

    Raises:
        ExchangeRateError: the file or a line cannot be read, or two lines overlap.
    """
    return ExchangeRates(read_seed(path, _SEED, _rate))


def _rate(line: dict[str, str]) -> Rate:
    usd_per_unit = positive(line["usd_per_unit"], "usd_per_unit")
    if not usd_per_unit:
        raise ValueError("usd_per_unit is 0, which would convert every amount to 0 USD")
    return Rate(
        currency=line["currency"],
        usd_per_unit=usd_per_unit,
        valid_from=day(line["valid_from"]),
        valid_to=parse_end_day(line["valid_to"]),
        source=line["source"],
    )
