"""Names of simulated things, which all say that they are synthetic."""

from datetime import timedelta

from .plan import SimulationPlan

_COPY = "-copy"


def job_name(day: int, machine: int, number: int) -> str:
    """The id of a job within its tenant."""
    return f"{day:05}-{machine}-{number:07}"


def attempt_name(sender: int, job: str, attempt: int, plan: SimulationPlan) -> str:
    """The id of an attempt among all tenants."""
    return f"{plan.senders[sender].name}:{job}:{attempt}"


def recording_prefix(plan: SimulationPlan, day: int, machine: int, sender: int) -> str:
    """The path of a recording without its number and extension."""
    one = plan.senders[sender]
    return f"{one.name}/{one.noun}-{plan.first_day + timedelta(days=day)}-{machine}"


def recording_name(plan: SimulationPlan, day: int, machine: int, sender: int, number: int) -> str:
    """The path of a recording in the inbox."""
    return f"{recording_prefix(plan, day, machine, sender)}{number:07}.mp3"


def copy_of(name: str) -> str:
    """The name of the duplicate of a recording or a job."""
    stem, dot, ending = name.partition(".")
    return f"{stem}{_COPY}{dot}{ending}"


def session_name(plan: SimulationPlan, day: int, machine: int, life: int) -> str:
    """The id of a worker's life."""
    return f"{plan.machines[machine].backend}:{worker_name(day, machine, life)}"


def worker_name(day: int, machine: int, life: int) -> str:
    """The name of a worker."""
    return f"synthetic-{day:05}-{machine}-{life:06}"
