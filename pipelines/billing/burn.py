"""How far each limit on money is used, and where the month is going."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal

State = Literal["ok", "warn", "stop"]
_ORDER: tuple[State, ...] = ("stop", "warn", "ok")


@dataclass(frozen=True, slots=True)
class Burn:
    """One scope ('all', or a tenant) in the month that runs; USD.

    usd_a_day: the mean of its last complete days. forecast: at the month's end, with its range.
    reserved: for attempts under way, and held until the day's bill has come; it counts for today.
    """

    scope: str
    today: date
    spent_usd: Decimal
    today_usd: Decimal
    usd_a_day: Decimal
    forecast_usd: Decimal
    forecast_low_usd: Decimal
    forecast_high_usd: Decimal
    day_usd: Decimal | None
    month_usd: Decimal | None
    reserved_today_usd: Decimal = Decimal(0)
    reserved_usd: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class Level:
    """One limit. period: the day or month it holds for; sentence: what to tell of it.

    left_usd: what the gate still lets through, which what is reserved is no part of.
    """

    limit: str
    scope: str
    period: str
    state: State
    spent_usd: Decimal
    left_usd: Decimal
    sentence: str

    @property
    def key(self) -> str:
        """What is told once: a level of a limit in its period."""
        return f"{self.period}/{self.scope}-{self.state}"


def levels(burns: Iterable[Burn], warn_share: Decimal) -> list[Level]:
    """Of every limit that is set; the worst first.

    warn_share: of a limit, from which on it is told; a month's is told too where the forecast
    passes it.
    """
    found = [level for burn in burns for level in _levels(burn, warn_share)]
    return sorted(found, key=lambda one: (_ORDER.index(one.state), one.scope != "all", one.scope))


def _levels(burn: Burn, warn_share: Decimal) -> Iterable[Level]:
    if burn.day_usd is not None:
        name = _name(burn.scope, "DAILY_COST_THRESHOLD", "daily")
        state = _state(burn.today_usd, burn.day_usd, warn_share)
        yield Level(
            name,
            burn.scope,
            f"{burn.today:%Y-%m-%d}",
            state,
            burn.today_usd,
            burn.day_usd - burn.today_usd - burn.reserved_today_usd,
            f"{_used(name, burn.today_usd, burn.reserved_today_usd, burn.day_usd)} today.",
        )
    if burn.month_usd is not None:
        name = _name(burn.scope, "MONTHLY_COST_THRESHOLD", "monthly")
        state = _state(burn.spent_usd, burn.month_usd, warn_share)
        if state == "ok" and burn.forecast_usd > burn.month_usd:
            state = "warn"
        yield Level(
            name,
            burn.scope,
            f"{burn.today:%Y-%m}",
            state,
            burn.spent_usd,
            burn.month_usd - burn.spent_usd - burn.reserved_usd,
            f"{_used(name, burn.spent_usd, burn.reserved_usd, burn.month_usd)} this month; "
            f"{burn.usd_a_day:.2f} a day; {burn.forecast_usd:.2f} at its end "
            f"({burn.forecast_low_usd:.2f} to {burn.forecast_high_usd:.2f}).",
        )


def _name(scope: str, everybody: str, period: str) -> str:
    return everybody if scope == "all" else f"the {period} budget of {scope}"


def _state(spent: Decimal, limit: Decimal, warn_share: Decimal) -> State:
    if spent >= limit:
        return "stop"
    return "warn" if spent >= limit * warn_share else "ok"


def _used(name: str, spent: Decimal, reserved: Decimal, limit: Decimal) -> str:
    left = limit - spent - reserved
    told = f"{left:.2f} left" if left > 0 else "nothing left"
    also = f", {reserved:.2f} reserved" if reserved else ""
    return f"{name}: {spent:.2f} of {limit:.2f} USD{also}, {told},"
