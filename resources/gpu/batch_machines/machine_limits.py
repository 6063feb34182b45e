"""How long a machine may be waited for, and how long it may run, for its attempts."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

from escriba.billing.quote_ceiling import STOP_SECONDS

from .gather_rules import RUN_GROWTH, GatherRules
from .gathering import Waiting

_AHEAD_SECONDS = 60  # to download and decode the audio of an attempt
_SHORTEST_QUEUE_SECONDS = 60


@dataclass(frozen=True, slots=True)
class MachineLimits:
    """Whole seconds."""

    run_seconds: int
    queue_seconds: int


def limits_of(members: Sequence[Waiting], rules: GatherRules) -> MachineLimits:
    """The limits of a manifest with these attempts, in its order.

    A worker stops each attempt at its own run limit. The machine may run until all of them have
    reached theirs, but no longer than a lease, unless one attempt alone may. It must come early
    enough for the last attempt to start within its own queue limit, even if those before it take
    1.5 times as long as predicted.
    """
    runs = [
        (one.request.limits.run_seconds or rules.lease_limit_seconds)
        + STOP_SECONDS
        + _AHEAD_SECONDS
        for one in members
    ]
    before = accumulate((one.run_seconds * RUN_GROWTH for one in members), initial=0.0)
    queues = [
        one.request.limits.queue_seconds - seconds
        for one, seconds in zip(members, before, strict=False)
        if one.request.limits.queue_seconds is not None
    ]
    queue = min(queues, default=rules.lease_limit_seconds)
    return MachineLimits(
        run_seconds=math.ceil(max(min(sum(runs), rules.lease_limit_seconds), *runs)),
        queue_seconds=math.floor(max(queue, _SHORTEST_QUEUE_SECONDS)),
    )
