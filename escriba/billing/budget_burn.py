"""How much of each spending limit is used, and the month's forecast."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal

State = Literal["ok", "warn", "stop"]
_ORDER: tuple[State, ...] = ("stop", "warn", "ok")


@dataclass(frozen=True, slots=True)
class Burn:
    """Budget use of one scope ('all', or a tenant) in the current month, in USD.

    usd_a_day: the mean of the last complete days. forecast: for the end of the month, with its
    range. reserved: for running attempts, and held until the day's bill arrives; it counts for
    today.
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
    """The state of one limit. period: its day or month; sentence: the message about it.

    left_usd: what can still be spent, without what is reserved.
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
        """The key that sends each message once: a state of a limit in its period."""
        return f"{self.period}/{self.scope}-{self.state}"


def levels(burns: Iterable[Burn], warn_share: Decimal) -> list[Level]:
    """The state of every limit that is set, the worst first.

    warn_share: fraction of a limit that triggers a warning; a monthly limit also warns if the
    forecast exceeds it.
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
            f"{burn.usd_a_day:.2f} per day; forecast {burn.forecast_usd:.2f} "
            f"({burn.forecast_low_usd:.2f} to {burn.forecast_high_usd:.2f}).",
        )


def _name(scope: str, setting: str, period: str) -> str:
    return setting if scope == "all" else f"the {period} budget of {scope}"


def _state(spent: Decimal, limit: Decimal, warn_share: Decimal) -> State:
    if spent >= limit:
        return "stop"
    return "warn" if spent >= limit * warn_share else "ok"


def _used(name: str, spent: Decimal, reserved: Decimal, limit: Decimal) -> str:
    left = limit - spent - reserved
    rest = f"{left:.2f} left" if left > 0 else "nothing left"
    also = f", {reserved:.2f} reserved" if reserved else ""
    return f"{name}: {spent:.2f} of {limit:.2f} USD{also}, {rest},"
