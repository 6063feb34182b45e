"""The order of the regions: those that lacked machines a while ago come last."""

from collections.abc import Sequence

from resources.gpu.batch_machines.time_sources import Clock

from .job_states import Lack

DRY_SECONDS = 900.0  # capacity of spot machines comes back within minutes, or not for hours


class Regions:
    """The regions of the settings, and which of them lack machines or quota now."""

    def __init__(self, names: Sequence[str], clock: Clock) -> None:
        self.names, self._clock = tuple(names), clock
        self._lacking: dict[str, tuple[Lack, float]] = {}

    def order(self) -> list[str]:
        """All regions, those without a known lack first, otherwise as in the settings."""
        return sorted(self.names, key=lambda name: bool(self.lack(name)))

    def after(self, tried: Sequence[str]) -> str:
        """The next region to try; empty if there is none."""
        return next((name for name in self.order() if name not in tried), "")

    def note(self, region: str, lack: Lack) -> None:
        """A job of the region waits for that; nothing: its machine has come."""
        if lack:
            self._lacking[region] = (lack, self._clock())
        else:
            self._lacking.pop(region, None)

    def lack(self, region: str) -> Lack:
        """What the region lacked in the last 15 minutes."""
        lack, since = self._lacking.get(region, ("", 0.0))
        return lack if lack and self._clock() - since < DRY_SECONDS else ""
