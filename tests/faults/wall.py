"""Every `datetime.now` of ours, moved on to the timeline, and ahead of it or behind."""

import sys
from datetime import datetime, timedelta

_REAL = datetime
OURS = ("resources", "pipelines", "gpu_job", "tests.faults")


def live_by(seconds_now, began, skew_seconds=0.0):
    """From here on in this process: `began` is when the timeline was at 0."""

    class Kind(type):
        def __instancecheck__(cls, one):
            return isinstance(one, _REAL)

    class Moved(_REAL, metaclass=Kind):
        @classmethod
        def now(cls, tz=None):
            moved = began + timedelta(seconds=seconds_now() + skew_seconds)
            return moved.astimezone(tz)

    for name, module in list(sys.modules.items()):
        if name.startswith(OURS) and getattr(module, "datetime", None) is _REAL:
            module.datetime = Moved
