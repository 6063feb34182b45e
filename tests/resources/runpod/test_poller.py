"""When a job is looked at, in virtual time: RunPod is a function of the clock here."""

import asyncio
import itertools
import logging
from collections import Counter
from decimal import Decimal

import pytest

from escriba.billing.quotes import Quote
from resources.gpu.backend import AttemptReport
from resources.gpu.runpod.poller import LEFT_SECONDS, Poller
from resources.http.json_requests import RefusedError, TransientError

LIMIT_IN_10_S = 1_000


def quote(run_seconds=100.0, start_seconds=30.0):
    return Quote("runpod", "l4", Decimal(0), run_seconds, start_seconds + run_seconds, "planned")


class Simulated:
    """Jobs that begin and end at certain times; `looks`: the times and jobs of requests."""

    def __init__(self, clock):
        self.clock, self.jobs, self.looks, self.faults = clock, {}, [], []
        self.tells_progress, self.at_once, self.most_at_once = True, 0, 0

    def add(self, id_, starts_at, ends_at, final=None):
        self.jobs[id_] = (starts_at, ends_at, final or {"status": "COMPLETED"})

    async def look(self, id_):
        self.looks.append((self.clock(), id_))
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        await asyncio.sleep(0.05)
        self.at_once -= 1
        if self.faults:
            raise self.faults.pop(0)
        if id_ not in self.jobs:
            raise RefusedError(404, "job not found")
        return self.view(id_)

    def view(self, id_):
        starts_at, ends_at, final = self.jobs[id_]
        now = self.clock()
        if now >= ends_at:
            return {"executionTime": (ends_at - starts_at) * 1000} | final
        if now < starts_at:
            return {"status": "IN_QUEUE"}
        done = {"audio_seconds_done": round(3600 * (now - starts_at) / (ends_at - starts_at), 1)}
        output = {"output": done | {"audio_seconds": 3600.0}} if self.tells_progress else {}
        return {"status": "IN_PROGRESS"} | output

    def most_in_10_s(self):
        times = [when for when, _ in self.looks]
        first, most = 0, 0
        for last, when in enumerate(times):
            while times[first] <= when - 10:
                first += 1
            most = max(most, last - first + 1)
        return most


@pytest.fixture
def play(in_virtual_time):
    """Runs a scene with a poller and a simulated RunPod, and gives what it gives."""

    def run(scene):
        async def go(time_):
            simulated = Simulated(time_.clock)
            poller = Poller(simulated.look, "secret", time_)
            try:
                return await asyncio.wait_for(scene(poller, simulated, time_), 500_000)
            finally:
                await poller.close()

        return in_virtual_time(go)

    return run


async def end_of(poller, id_, clock):
    """As an engine waits, and when it knew."""
    while (report := await poller.wait_for_report(id_, 60)) is None:
        pass
    return report, clock()


@pytest.mark.parametrize("run_seconds", [3, 40, 600, 3600])
@pytest.mark.parametrize("tells_progress", [True, False])
def test_a_job_that_goes_as_planned_is_known_to_be_done_soon_with_few_looks(
    play, run_seconds, tells_progress
):
    async def scene(poller, simulated, time_):
        simulated.tells_progress = tells_progress
        simulated.add("job", 30, 30 + run_seconds)
        poller.follow("job", quote(run_seconds), lambda _: None)
        _, when = await end_of(poller, "job", time_.clock)
        return when - 30 - run_seconds, len(simulated.looks)

    late, looks = play(scene)

    assert late < 6
    assert looks < 20


@pytest.mark.parametrize("factor", [0.1, 0.5, 0.8, 1.3, 2.0])
def test_a_job_whose_quote_was_wrong_is_known_soon_by_its_progress(play, factor):
    async def scene(poller, simulated, time_):
        simulated.add("job", 200, 200 + 600 * factor)
        poller.follow("job", quote(600), lambda _: None)
        _, when = await end_of(poller, "job", time_.clock)
        return when - 200 - 600 * factor, len(simulated.looks)

    late, looks = play(scene)

    assert late < (100 if factor < 0.5 else 12)  # over at its first look
    assert looks < 30


def test_jobs_after_it_are_looked_at_as_the_first_ones_really_went(play):
    async def scene(poller, simulated, time_):
        late = []
        for n in range(8):
            begins = time_.clock() + 30
            simulated.add(f"job-{n}", begins, begins + 60)
            poller.follow(f"job-{n}", quote(600), lambda _: None)  # ten times too slow
            _, when = await end_of(poller, f"job-{n}", time_.clock)
            late.append(when - begins - 60)
        return late

    first, *others = play(scene)

    assert first > 100
    assert max(others) < 6


def test_a_job_far_over_its_time_is_asked_about_less_and_less(play):
    async def scene(poller, simulated, time_):
        simulated.tells_progress = False
        simulated.add("job", 0, 1e9)
        poller.follow("job", quote(100, 0), lambda _: None)
        await poller.wait_for_report("job", 3_600)
        times = [when for when, _ in simulated.looks]
        return [later - before for before, later in itertools.pairwise(times)]

    gaps = play(scene)

    assert min(gaps) >= 5
    assert max(gaps) < 70
    assert gaps[-1] > 50
    assert len(gaps) < 110


def test_progress_is_told_in_milliseconds_and_only_forward(play):
    async def scene(poller, simulated, time_):
        told = []
        simulated.add("job", 10, 400)
        poller.follow("job", quote(100), told.append)
        await end_of(poller, "job", time_.clock)
        return told

    told = play(scene)

    assert told == sorted(set(told))
    assert 0 < told[0] < told[-1] <= 3_600_000


@pytest.mark.parametrize(
    ("final", "report"),
    [
        ({"status": "COMPLETED", "output": {"state": "done"}}, AttemptReport("COMPLETED")),
        ({"status": "CANCELLED"}, AttemptReport("CANCELLED")),
        ({"status": "TIMED_OUT", "error": "job timed out"}, AttemptReport("TIMED_OUT")),
        (
            {"status": "FAILED", "error": '{"code":"internal","permanent":false,"message":"torn"}'},
            AttemptReport("FAILED", "internal: torn", "internal"),
        ),
        (
            {"status": "FAILED", "error": '{"code":"cancelled","message":"taken away"}'},
            AttemptReport("FAILED", "cancelled: taken away", "cancelled"),
        ),
        ({"status": "FAILED", "error": '{"code":["a"]}'}, AttemptReport("FAILED", "['a']")),
        (
            {"status": "FAILED", "error": {"error_type": "E", "error_message": "at http://x/y"}},
            AttemptReport("FAILED", "E: at (an address)"),
        ),
        (
            {"status": "FAILED", "error": "worker  exited\n137"},
            AttemptReport("FAILED", "worker exited 137"),
        ),
        ({"status": "FAILED"}, AttemptReport("FAILED")),
    ],
)
def test_an_end_is_reported_in_runpods_words(play, final, report):
    async def scene(poller, simulated, time_):
        simulated.add("job", 0, 50, final)
        poller.follow("job", quote(), lambda _: None)
        return (await end_of(poller, "job", time_.clock))[0]

    assert play(scene) == report


def test_who_asks_again_after_the_end_is_told_again_without_another_look_or_a_busy_loop(play):
    async def scene(poller, simulated, time_):
        simulated.add("job", 0, 50)
        poller.follow("job", quote(), lambda _: None)
        await end_of(poller, "job", time_.clock)
        looks, began = len(simulated.looks), time_.clock()
        again = [await poller.wait_for_report("job", 60) for _ in range(3)]
        return again, len(simulated.looks) - looks, time_.clock() - began

    again, looks, seconds = play(scene)

    assert again == [AttemptReport("COMPLETED")] * 3
    assert (looks, seconds) == (0, 3)


def test_a_job_that_runpod_does_not_know_is_lost_but_not_in_its_first_moments(play):
    async def scene(poller, simulated, time_):
        poller.follow("new", quote(1, 4), lambda _: None)
        early = await poller.wait_for_report("new", 28)
        looks = len(simulated.looks)
        return early, looks, *await end_of(poller, "new", time_.clock)

    early, looks, report, when = play(scene)

    assert early is None
    assert looks > 1
    assert report.status == "LOST"
    assert 30 <= when < 37


def test_another_processs_job_that_waits_is_looked_at_about_once_a_minute(play):
    async def scene(poller, simulated, time_):
        simulated.add("theirs", 7_200, 7_300)
        report, when = await end_of(poller, "theirs", time_.clock)
        return report, when - 7_300, len(simulated.looks)

    report, late, looks = play(scene)

    assert report == AttemptReport("COMPLETED")
    assert late < 12
    assert looks < 140


def test_another_processs_job_is_looked_at_at_once(play):
    async def scene(poller, simulated, time_):
        simulated.add("theirs", 0, 0)
        return await end_of(poller, "theirs", time_.clock)

    report, when = play(scene)

    assert report == AttemptReport("COMPLETED")
    assert when < 1


def test_a_state_that_nobody_knows_is_told_of_once_and_waited_for(play, caplog):
    async def scene(poller, simulated, time_):
        for n in range(3):
            simulated.add(f"job-{n}", 0, 0, {"status": "PONDERING"})
            poller.follow(f"job-{n}", quote(10, 0), lambda _: None)
        nothing = await asyncio.gather(*(poller.wait_for_report(f"job-{n}", 100) for n in range(3)))
        for n in range(3):
            simulated.add(f"job-{n}", 0, 0)
        return nothing, [(await end_of(poller, f"job-{n}", time_.clock))[0] for n in range(3)]

    nothing, ends = play(scene)

    assert nothing == [None] * 3
    assert ends == [AttemptReport("COMPLETED")] * 3
    assert caplog.text.count("PONDERING") == 1


@pytest.mark.parametrize("fault", [TransientError("HTTP 503"), RefusedError(401, "no")])
def test_trouble_is_no_news_and_slows_all_looks_down(play, fault, caplog):
    caplog.set_level(logging.WARNING)

    async def scene(poller, simulated, time_):
        simulated.faults = [fault] * 8
        for n in range(50):
            simulated.add(f"job-{n}", 0, 10)
            poller.follow(f"job-{n}", quote(10, 0), lambda _: None)
        ends = await asyncio.gather(*(end_of(poller, f"job-{n}", time_.clock) for n in range(50)))
        return [report for report, _ in ends], simulated.looks

    reports, looks = play(scene)

    assert reports == [AttemptReport("COMPLETED")] * 50
    assert len(looks) == 58
    assert caplog.text.count("does not report job status now") == 1


def test_trouble_that_stays_is_asked_about_about_once_a_minute(play):
    async def scene(poller, simulated, time_):
        simulated.faults = [TransientError("ConnectError") for _ in range(10_000)]
        for n in range(200):
            poller.follow(f"job-{n}", quote(10, 0), lambda _: None)
        waits = (poller.wait_for_report(f"job-{n}", 7_200) for n in range(200))
        await asyncio.gather(*waits)
        return len(simulated.looks)

    assert 100 < play(scene) < 160


def test_nobody_is_asked_before_runpod_said_so(play):
    async def scene(poller, simulated, time_):
        simulated.faults = [TransientError("HTTP 429", 120.0)]
        for n in range(20):
            simulated.add(f"job-{n}", 0, 5)
            poller.follow(f"job-{n}", quote(5 + n, 0), lambda _: None)
        await asyncio.gather(*(end_of(poller, f"job-{n}", time_.clock) for n in range(20)))
        return [when for when, _ in simulated.looks]

    first, *others = play(scene)

    assert not [when for when in others if first + 0.1 < when < first + 120]  # but those under way


def test_a_job_that_nobody_follows_any_more_is_not_looked_at(play):
    async def scene(poller, simulated, time_):
        simulated.add("theirs", 0, 1e9)
        following = asyncio.ensure_future(end_of(poller, "theirs", time_.clock))
        await time_.sleep(1)
        following.cancel()
        await asyncio.wait([following])
        theirs = len(poller)
        simulated.add("ours", 0, 1e9)
        poller.follow("ours", quote(10, 0), lambda _: None)
        await time_.sleep(LEFT_SECONDS + 100)
        looks = len(simulated.looks)
        await time_.sleep(10_000)
        return theirs, len(poller), len(simulated.looks) - looks

    assert play(scene) == (0, 0, 0)


def test_one_bad_look_does_not_end_the_looking(play, caplog):
    def breaks(_):
        raise ZeroDivisionError

    async def scene(poller, simulated, time_):
        simulated.add("job", 0, 300)
        poller.follow("job", quote(100), breaks)
        return await end_of(poller, "job", time_.clock)

    report, when = play(scene)

    assert report == AttemptReport("COMPLETED")
    assert when < 1_000
    assert "ZeroDivisionError" in caplog.text


def test_two_thousand_jobs_at_once_stay_below_the_limit_and_are_known_soon(play):
    """All start concurrently on as many workers, with progress, and end within ten minutes."""

    async def scene(poller, simulated, time_):
        late = []

        async def follow(n):
            ends_at = 60 + 300 + n * 0.3
            simulated.add(f"job-{n}", 60, ends_at)
            poller.follow(f"job-{n}", quote(400), lambda _: None)
            _, when = await end_of(poller, f"job-{n}", time_.clock)
            late.append(when - ends_at)
            poller.forget(f"job-{n}")

        await asyncio.gather(*(follow(n) for n in range(2_000)))
        return sorted(late), simulated

    late, simulated = play(scene)

    assert simulated.most_in_10_s() <= LIMIT_IN_10_S
    assert simulated.most_at_once <= 200
    assert late[int(len(late) * 0.95)] < 12
    assert len(simulated.looks) / 2_000 < 15


def test_a_long_queue_before_three_workers_is_asked_about_seldom(play):
    """A night: 600 jobs of about 90 s. Only those near the front of the queue are requested."""

    async def scene(poller, simulated, time_):
        late, free = [], [60.0] * 3

        async def follow(n, ends_at):
            poller.follow(f"job-{n}", quote(90), lambda _: None)
            _, when = await end_of(poller, f"job-{n}", time_.clock)
            late.append(when - ends_at)
            poller.forget(f"job-{n}")

        tasks = []
        for n in range(600):
            worker = free.index(min(free))
            begins, free[worker] = free[worker], free[worker] + 60 + n % 60
            simulated.add(f"job-{n}", begins, free[worker])
            tasks.append(follow(n, free[worker]))
        await asyncio.gather(*tasks)
        return sorted(late), simulated

    late, simulated = play(scene)

    assert late[int(len(late) * 0.95)] < 12
    assert Counter(id_ for _, id_ in simulated.looks).most_common(1)[0][1] < 80
    assert len(simulated.looks) / 600 < 40
