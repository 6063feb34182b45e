"""What a spot machine of EC2 cost while a job ran on it: the price history of its zone.

EC2 is asked once for a machine type and zone, and again for later hours, so that a night of
thousands of jobs makes a few requests. Where EC2 does not say, the price book applies.
"""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from escriba.billing.spot_prices import mean_between
from escriba.settings import Settings
from gpu_job.contract import CloudMachine

from .ec2_client import ec2_client

_LOG = logging.getLogger("escriba")
_FRESH_SECONDS = 300.0  # prices change a few times a day
_PAUSE_SECONDS = 600.0  # after a failure, in which each job has the price of the price book
_BEFORE = timedelta(hours=3)  # asked for at once, since the next job to end may have begun earlier


_Changes = tuple[tuple[datetime, Decimal], ...]


@dataclass(frozen=True, slots=True)
class _History:
    """Price changes since a moment; the price of that moment is the first of them."""

    since: datetime
    asked_at: float
    changes: _Changes


class SpotPrices:
    """The mean spot price of a machine while a job ran. Safe to call from any thread."""

    def __init__(
        self,
        settings: Settings,
        clock: Callable[[], float] = time.monotonic,
        connect: Callable[[Settings], Any] = ec2_client,
    ) -> None:
        self._settings, self._clock, self._connect = settings, clock, connect
        self._lock = threading.Lock()
        self._client: Any = None
        self._known: dict[tuple[str, str], _History] = {}
        self._silent_until = 0.0

    def __call__(self, machine: CloudMachine, since: datetime, until: datetime) -> Decimal | None:
        """USD per hour from `since` to `until`, weighted by time.

        None if it is no spot machine, its zone is not in AWS_REGION, or EC2 does not say.
        """
        if not machine.is_spot or not machine.zone.startswith(self._settings.aws_region):
            return None
        with self._lock:
            history = self._history((machine.type, machine.zone), since)
        return mean_between(history.changes, since, until) if history is not None else None

    def _history(self, of: tuple[str, str], since: datetime) -> _History | None:
        known, now = self._known.get(of), self._clock()
        reaches = known is not None and known.since <= since
        if known is not None and reaches and now - known.asked_at < _FRESH_SECONDS:
            return known
        if now < self._silent_until:
            return known if reaches else None
        found = self._asked(of, known.since if known and reaches else since - _BEFORE)
        if found is not None:
            self._known[of] = found
        return found or (known if reaches else None)

    def _asked(self, of: tuple[str, str], since: datetime) -> _History | None:
        import botocore.exceptions  # noqa: PLC0415  # 0.5 s

        try:
            changes = self._changes(of, since)
        except (botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError) as error:
            self._silent_until = self._clock() + _PAUSE_SECONDS
            _LOG.warning(
                "EC2 does not say the spot price of %s in %s (%s): the price book applies. The "
                "credentials need ec2:DescribeSpotPriceHistory in AWS_REGION=%s.",
                *of,
                type(error).__name__,
                self._settings.aws_region,
            )
            return None
        return _History(since, self._clock(), changes)

    def _changes(
        self, of: tuple[str, str], since: datetime
    ) -> tuple[tuple[datetime, Decimal], ...]:
        self._client = self._client or self._connect(self._settings)
        type_, zone = of
        pages = self._client.get_paginator("describe_spot_price_history").paginate(
            InstanceTypes=[type_],
            AvailabilityZone=zone,
            ProductDescriptions=["Linux/UNIX"],
            StartTime=since,
        )
        return tuple(
            (max(one["Timestamp"], since), Decimal(one["SpotPrice"]))
            for page in pages
            for one in page["SpotPriceHistory"]
        )
