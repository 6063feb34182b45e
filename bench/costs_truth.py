"""How far the marts are from what a simulated fleet really cost; tests/cli/demo asks the same."""

from collections.abc import Mapping
from decimal import Decimal

from cli.demo.simulation.fleet import SimulatedFleet

LONG_LIFE_SECONDS = 300
CHARGED = "SELECT recording, cost_usd FROM marts.cost_per_recording"
EXPLAINED = """
    SELECT session_id, sum(run_usd) + any_value(beside_usd) FROM ledger.sessions
    JOIN intermediate.int_run_days USING (attempt_id) JOIN (
        SELECT session_id, sum(boot_usd + idle_usd) AS beside_usd
        FROM intermediate.int_life_days GROUP BY 1
    ) USING (session_id) GROUP BY 1
"""


def allocation_errors(fleet: SimulatedFleet, charged: Mapping[str, Decimal]) -> list[Decimal]:
    """Of each recording that cost something, relative; the smallest first."""
    known = {name: fleet.truth.recording_usd(name) for name in fleet.truth.recordings}
    return sorted(abs(charged[name] - usd) / usd for name, usd in known.items() if usd)


def quantile(in_order: list[Decimal], share: float) -> Decimal:
    """The value below which so much of them lies."""
    return in_order[int(share * len(in_order))]


def unexplained(fleet: SimulatedFleet, explained: Mapping[str, Decimal]) -> tuple[Decimal, int]:
    """Of lives above five minutes: the share that nothing explains, and how many there are."""
    long = {
        name: life.usd
        for name, life in fleet.truth.lives.items()
        if life.paid_seconds > LONG_LIFE_SECONDS
    }
    missing = sum(abs(usd - explained[name]) for name, usd in long.items())
    return Decimal(missing / sum(long.values())), len(long)
