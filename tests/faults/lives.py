"""Lives of orchestrators and workers that end, or are disturbed, at each of their steps."""

import itertools
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.fake_runpod import CUT, GARBAGE, HTML, LOST_ANSWER, RESET, Fault, busy

from .world import RECORDING, World

MOST_STEPS = 400
TWO = (RECORDING, "acme/b.mp3")


@dataclass(frozen=True)
class Plan:
    """How the one that is to die lives.

    first: the step that must be over before, such as 'close'. killed_earlier: before which step
    another one died that left the work for this one. beside: whether another one lives meanwhile.
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


@contextmanager
def world(zygote, recordings=(RECORDING,)):
    """A new one, in a folder of its own."""
    with tempfile.TemporaryDirectory() as folder, World(Path(folder), zygote, recordings) as made:
        yield made


@contextmanager
def told(what):
    """A failed check says what was done."""
    try:
        yield
    except AssertionError as error:
        error.add_note(what)
        raise


def killed_at_each_step(zygote, plan, *, after):
    """The figures of each life, as long as there is a step more to die at."""
    steps = _steps(zygote, plan)
    first = steps.index(plan.first) + 1 if plan.first else 1
    for number in itertools.count(first):
        assert number < MOST_STEPS, "it never ends"
        name = steps[number - 1] if number <= len(steps) else "one more"
        with told(f"killed {'after' if after else 'before'} step {number}: {name}"):
            figures = _killed(zygote, plan, number, after=after)
        if figures is None:
            return
        yield figures


def worker_killed_at_each_step(zygote, *, after):
    """The same of the first worker."""
    for number in itertools.count(1):
        assert number < MOST_STEPS, "it never ends"
        with (
            told(f"its worker killed {'after' if after else 'before'} step {number}"),
            world(zygote) as one,
        ):
            one.provider.lives = [{"dies_at": number, "after": after}]
            figures = one.lives_on()
            if one.provider.deliveries[0].outcome is not None:
                return
        yield figures


def disturbed(zygote, verb, fault):
    """The figures of lives in which one request goes wrong, each in turn; then four in a row."""
    life = {"stops_after": 60} if verb == "cancel" else {}
    life |= {"may_hold": FAULTS[fault].how == "hold"}
    with world(zygote) as one:
        one.run(**life)
        times = one.provider.count(verb)
    for before, many in [*((k, 1) for k in range(times)), (0, 4)]:
        with told(f"{fault}, {many} times after {before} {verb}"), world(zygote) as one:
            one.provider.faults[verb].extend([None] * before + [FAULTS[fault]] * many)
            yield one.lives_on(**life)


def _steps(zygote, plan):
    """Of a life that nobody ends."""
    with world(zygote, plan.recordings) as one:
        _prepare(one, plan)
        return one.run(**plan.life)["steps"]


def _killed(zygote, plan, number, *, after):
    """None where it lived on."""
    with world(zygote, plan.recordings) as one:
        _prepare(one, plan)
        other = one.start(seed=2) if plan.beside else None
        found = one.run(**plan.life, dies_at=number, after=after)
        if other is not None:
            assert other.outcome()["ends"] == ["done"] * len(one.recordings)
        assert one.finish(seed=3) == ["done"] * len(one.recordings)
        figures = one.check()
        return figures if found is None else None


def _prepare(one, plan):
    if plan.killed_earlier:
        assert one.run(dies_at=plan.killed_earlier) is None, "it did not come so far"
