"""Runs of orchestrators and workers that are killed or disturbed at each of their steps."""

import itertools
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.fake_runpod import CUT, GARBAGE, HTML, LOST_ANSWER, RESET, Fault, busy

from .backends import HERE, LOCAL, OPENAI, PYANNOTE_AI, RUNPOD
from .this_machine import OPENAI_FAULTS, PYANNOTE_AI_FAULTS
from .world import RECORDING, World

MOST_STEPS = 400
TWO = (RECORDING, "acme/b.mp3")


@dataclass(frozen=True)
class Plan:
    """How the orchestrator that is killed runs.

    first: the first step at which it may die, such as 'close'. killed_earlier: the step before
    which an earlier one died and left the work for this one. beside: whether another one runs
    concurrently.
    """

    life: dict
    first: str = ""
    killed_earlier: str = ""
    beside: bool = False
    recordings: tuple = (RECORDING,)


PLANS = {
    "run": Plan({}),
    "run on another machine": Plan({"elsewhere": True}),
    "stop while queued": Plan({"stops_after": 10}, first="close"),
    "stop while running": Plan({"stops_after": 60}, first="close"),
    "stop at the end": Plan({"stops_after": 105}, first="close"),
    "reconcile one not submitted": Plan({"work": "reconcile"}, killed_earlier="POST run"),
    "reconcile one running": Plan({"work": "reconcile"}, killed_earlier="read …/claim-1.json"),
    "reconcile one done": Plan({"work": "reconcile"}, killed_earlier="head …/result.json"),
    "beside another": Plan({}, beside=True, recordings=TWO),
}
FAULTS = {
    "500": Fault(status=500),
    "502 with HTML": Fault(status=502, body=b"<html>bad gateway</html>"),
    "429": busy(429),
    "429 for a while": busy(429, Retry_After="7"),
    "401": Fault(status=401, body=b'{"error": "unauthorized"}'),
    "reset": RESET,
    "answer lost": LOST_ANSWER,
    "cut short": CUT,
    "HTML": HTML,
    "truncated JSON": GARBAGE,
    "silence": Fault("hold"),
}
FAULTS_HERE = {LOCAL: {}, OPENAI: OPENAI_FAULTS, PYANNOTE_AI: PYANNOTE_AI_FAULTS}
VERBS = ("run", "status", "health", "cancel")
VERBS_HERE = {LOCAL: (), OPENAI: ("transcribe",), PYANNOTE_AI: ("diarize", "job", "media")}
NOT_SUBMITTED, NOT_SUBMITTED_HERE = "POST run", "create …/submitted-1.json"


def faults_of(kind):
    """What may go wrong with a request, by its name."""
    return FAULTS_HERE.get(kind, FAULTS)


def verbs_of(kind):
    """What a provider is asked for."""
    return VERBS_HERE.get(kind, VERBS)


@contextmanager
def world(zygote, recordings=(RECORDING,), kind=RUNPOD):
    """A new world, in its own folder."""
    with (
        tempfile.TemporaryDirectory() as folder,
        World(Path(folder), zygote, recordings, kind) as made,
    ):
        yield made


@contextmanager
def with_note(what):
    """A failed check reports what was done."""
    try:
        yield
    except AssertionError as error:
        error.add_note(what)
        raise


def killed_at_each_step(zygote, plan, *, after, kind=RUNPOD, every=1):
    """The figures of each run, as long as there is another step to die at.

    every: 3 for every third step.
    """
    steps = _steps(zygote, plan, kind)
    first = steps.index(plan.first) + 1 if plan.first else 1
    for number in itertools.count(first, every):
        assert number < MOST_STEPS, "it never ends"
        name = steps[number - 1] if number <= len(steps) else "one more"
        with with_note(f"killed {'after' if after else 'before'} step {number}: {name}"):
            figures = _killed(zygote, plan, number, after=after, kind=kind)
        if figures is None:
            return
        yield figures


def worker_killed_at_each_step(zygote, *, after, kind=RUNPOD):
    """The same for the first worker."""
    for number in itertools.count(1):
        assert number < MOST_STEPS, "it never ends"
        with (
            with_note(f"its worker killed {'after' if after else 'before'} step {number}"),
            world(zygote, kind=kind) as one,
        ):
            one.provider.lives = [{"dies_at": number, "after": after}]
            figures = one.lives_on()
            if one.provider.deliveries[0].outcome is not None:
                return
        yield figures


def disturbed(zygote, verb, fault, kind=RUNPOD):
    """The figures of runs in which one request fails, each in turn; then four in a row."""
    life = {"stops_after": 60} if verb == "cancel" else {}
    scripted = faults_of(kind)[fault]
    life |= {"may_hold": getattr(scripted, "how", "") == "hold"}
    with world(zygote, kind=kind) as one:
        one.run(**life)
        times = one.provider.count(verb)
    for before, many in [*((k, 1) for k in range(times)), (0, 4)]:
        with (
            with_note(f"{fault}, {many} times after {before} {verb}"),
            world(zygote, kind=kind) as one,
        ):
            one.provider.faults[verb].extend([None] * before + [scripted] * many)
            yield one.lives_on(**life)


def _steps(zygote, plan, kind):
    """The steps of a run that is not killed."""
    with world(zygote, plan.recordings, kind) as one:
        _prepare(one, plan, kind)
        return one.run(**plan.life)["steps"]


def _killed(zygote, plan, number, *, after, kind):
    """The figures, or None if it was not killed."""
    with world(zygote, plan.recordings, kind) as one:
        _prepare(one, plan, kind)
        other = one.start(seed=2) if plan.beside else None
        found = one.run(**plan.life, dies_at=number, after=after)
        if other is not None:
            assert other.outcome()["ends"] == ["done"] * len(one.recordings)
        assert one.finish(seed=3) == ["done"] * len(one.recordings)
        figures = one.check()
        return figures if found is None else None


def _prepare(one, plan, kind):
    step = plan.killed_earlier
    if step == NOT_SUBMITTED and kind in HERE:
        step = NOT_SUBMITTED_HERE
    if step:
        assert one.run(dies_at=step) is None, "it did not reach that step"
