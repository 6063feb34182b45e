"""What an attempt may cost at most, so that a quote is a promise: it is stopped where that ends."""

import dataclasses
import math
from decimal import ROUND_HALF_EVEN, Decimal

from .prices import NANODOLLAR, Price
from .quotes import Capabilities, Quote

# a worker looks whether its time is over after each step, which takes at most 60 s, and brings
# what it has done into the bucket
STOP_SECONDS = 120
_SHORTEST_RUN_SECONDS = 120.0
_RUN_GROWTH = 1.5  # times what is expected: what needs more goes on in the next attempt
_START_GROWTH = 2.0
_MOST_STOPS = 10  # a limit that doubled so often is the longest one


def with_ceiling(
    quote: Quote, price: Price, can: Capabilities, most_run_seconds: int, stops: int = 0
) -> Quote:
    """The quote with how long the attempt may run, and what it costs then at the most.

    most_run_seconds: for any job. stops: how often the job was stopped for its time: each time
    its limit is twice as long, so that it gets to its end whatever was expected of it.
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
    """Whole seconds, as providers round up."""
    return price.cost_usd(Decimal(seconds)).quantize(NANODOLLAR, ROUND_HALF_EVEN)
