"""Exchange rates by date: `dbt_costs/seeds/exchange_rates.csv`, which dbt reads too."""

from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_EVEN, Decimal
from pathlib import Path

from .seed_lines import NANODOLLAR, Seed, day, last_day, positive, read_seed


class ExchangeRateError(ValueError):
    """A rate is missing, or a line of the table cannot be used; names it."""


_ASSUMED = "assum"  # assumption, assumed
_SEED = Seed("rates", "EXCHANGE_RATES", ".", ExchangeRateError)


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
        """Whether nobody asked a bank: its source says that it is an assumption."""
        return self.source.casefold().startswith(_ASSUMED)

    @property
    def told(self) -> str:
        """Its source and its date, for who reads what came of it."""
        kind = "assumed rate" if self.is_assumed else "rate"
        return (
            f"{kind} of EXCHANGE_RATES: 1 {self.currency} = {self.usd_per_unit.normalize():f} USD "
            f"since {self.valid_from:%Y-%m-%d} ({self.source})"
        )


@dataclass(frozen=True)
class ExchangeRates:
    """All rates; those of one currency never overlap."""

    rates: tuple[Rate, ...]

    def usd(self, amount: Decimal, currency: str, when: datetime) -> Decimal:
        """The amount in USD at the rate of a moment, to the nano-dollar.

        Raises:
            ExchangeRateError: no rate is valid then.
        """
        rate = self.at(currency, when)
        return (amount * rate.usd_per_unit).quantize(NANODOLLAR, ROUND_HALF_EVEN)

    def at(self, currency: str, when: datetime) -> Rate:
        """The rate of a moment.

        Raises:
            ExchangeRateError: none is valid then.
        """
        for rate in self.rates:
            if rate.currency == currency and rate.valid_from <= when < rate.valid_to:
                return rate
        raise ExchangeRateError(
            f"no exchange rate of {currency!r} at {when:%Y-%m-%d}: add a line to the table "
            "EXCHANGE_RATES"
        )


def read_exchange_rates(path: Path) -> ExchangeRates:
    """The table in a CSV file with the columns of `Rate`; an empty valid_to means for ever.

    Raises:
        ExchangeRateError: a file or a line that cannot be read, or two lines that overlap.
    """
    return ExchangeRates(read_seed(path, _SEED, _rate))


def _rate(line: dict[str, str]) -> Rate:
    usd_per_unit = positive(line["usd_per_unit"], "usd_per_unit")
    if not usd_per_unit:
        raise ValueError("usd_per_unit 0 would make every bill of that currency nothing")
    return Rate(
        currency=line["currency"],
        usd_per_unit=usd_per_unit,
        valid_from=day(line["valid_from"]),
        valid_to=last_day(line["valid_to"]),
        source=line["source"],
    )
