"""The maximum cost of an attempt: it is stopped when its quote is used up."""

import dataclasses
import math
from decimal import ROUND_HALF_EVEN, Decimal

from .price_book import NANODOLLAR, Price
from .quotes import Capabilities, Quote

# a worker checks its limit after each step, which takes at most 60 s, and then saves its progress
# to the bucket
STOP_SECONDS = 120
_SHORTEST_RUN_SECONDS = 120.0
_RUN_GROWTH = 1.5  # times the expected run; a longer job continues in the next attempt
_START_GROWTH = 2.0
_MOST_STOPS = 10  # doublings after which any limit is the longest one


def with_ceiling(
    quote: Quote, price: Price, can: Capabilities, most_run_seconds: int, stops: int = 0
) -> Quote:
    """The quote with the attempt's run limit, and its maximum cost under that limit.

    The seconds of a spot machine are reserved at its list price: a spot price may rise to it.

    most_run_seconds: the limit of any job. stops: how often the job reached its limit. Each stop
    doubles the limit, so that the job finishes even if the estimate was wrong.
    """
    if not can.paid:
        return dataclasses.replace(quote, run_limit_seconds=most_run_seconds)
    if price.unit == "audio_minute":
        return dataclasses.replace(
            quote, run_limit_seconds=most_run_seconds, most_usd=quote.cost_usd
        )
    expected = _SHORTEST_RUN_SECONDS + _RUN_GROWTH * quote.run_seconds
    limit = min(most_run_seconds, math.ceil(expected * 2 ** min(stops, _MOST_STOPS)))
    start = (quote.latency_seconds - quote.run_seconds) * _START_GROWTH
    overhead = _usd(price, math.ceil(start + can.idle_seconds))
    return dataclasses.replace(
        quote,
        run_limit_seconds=limit,
        overhead_usd=overhead,
        most_usd=overhead + _usd(price, limit + STOP_SECONDS),
    )


def _usd(price: Price, seconds: int) -> Decimal:
    """The most that whole seconds may cost, as providers round up."""
    highest = max(price.price_usd, price.list_price_usd or price.price_usd)
    dearest = dataclasses.replace(price, price_usd=highest)
    return dearest.leased_usd(Decimal(seconds)).quantize(NANODOLLAR, ROUND_HALF_EVEN)
