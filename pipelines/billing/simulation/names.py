"""How simulated things are called; all say that they are none of the world."""

from datetime import timedelta

from .plan import Plan

MARK = "synthetic.json"  # an object of the bucket that only simulated ledgers have
_COPY = "-copy"


def job_name(day: int, machine: int, number: int) -> str:
    """Of a job within its tenant."""
    return f"{day:05}-{machine}-{number:07}"


def attempt_name(sender: int, job: str, attempt: int, plan: Plan) -> str:
    """Of an attempt, over all tenants."""
    return f"{plan.senders[sender].name}:{job}:{attempt}"


def recording_prefix(plan: Plan, day: int, machine: int, sender: int) -> str:
    """All but the number of a recording and its ending."""
    one = plan.senders[sender]
    return f"{one.name}/{one.noun}-{plan.first_day + timedelta(days=day)}-{machine}"


def recording_name(plan: Plan, day: int, machine: int, sender: int, number: int) -> str:
    """A path in the inbox."""
    return f"{recording_prefix(plan, day, machine, sender)}{number:07}.mp3"


def copy_of(name: str) -> str:
    """Of a recording or a job: its copy."""
    stem, dot, ending = name.partition(".")
    return f"{stem}{_COPY}{dot}{ending}"


def session_name(plan: Plan, day: int, machine: int, life: int) -> str:
    """Of a worker's life."""
    return f"{plan.machines[machine].backend}:{worker_name(day, machine, life)}"


def worker_name(day: int, machine: int, life: int) -> str:
    """Of the worker whose life it is."""
    return f"synthetic-{day:05}-{machine}-{life:06}"
