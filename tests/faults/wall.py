"""Moves every `datetime.now` of the product onto the timeline, with an optional clock skew."""

import sys
from datetime import datetime, timedelta

_REAL = datetime
_now = []  # the newest source of the time: a fork has its own
OURS = ("resources", "pipelines", "gpu_job", "tests.faults")


def live_by(seconds_now, began, skew_seconds=0.0):
    """Apply to this process from now on. began: the time at which the timeline was at 0."""
    _now[:] = [lambda: began + timedelta(seconds=seconds_now() + skew_seconds)]

    class Kind(type):
        def __instancecheck__(cls, one):
            return isinstance(one, _REAL)

        def __eq__(cls, other):  # annotations name the real one (resources/ledger/tables.py)
            return other is _REAL or other is cls

        def __hash__(cls):
            return hash(_REAL)

    class Moved(_REAL, metaclass=Kind):
        @classmethod
        def now(cls, tz=None):
            return _now[0]().astimezone(tz)

    for name, module in list(sys.modules.items()):
        if name.startswith(OURS) and getattr(module, "datetime", None) is _REAL:
            module.datetime = Moved
