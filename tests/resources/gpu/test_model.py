"""Paid once in thousands of random schedules, in virtual time, with the engine's own `judge`.

Workers and orchestrators are killed at any moment, cut off from the bucket, delivered twice or
late; answers to a create get lost, and providers say that a job is over when it is not.
"""

import heapq
import itertools
import random
from dataclasses import dataclass, field

from escriba.billing.attempts import Attempt
from gpu_job.contract import Lease
from gpu_job.lease_ownership import FENCE_SECONDS, HEARTBEAT_SECONDS
from resources.gpu import idempotency
from resources.gpu.idempotency import Observation, judge

SCHEDULES = 20_000
HORIZON_SECONDS = 400_000.0
# the risk of each to die at each step
KILLS = {"worker": 0.006, "orchestrator": 0.01, "reconciler": 0.01}
INTERRUPTED = 0.003  # the risk of a run to be told to end, each time it looks
STEP_SECONDS = 60.0  # a worker looks at its fence at least so often
ATTEMPT = Attempt.model_construct(queue_limit_seconds=3_600)


class Killed(BaseException):
    """Thrown into a process that dies at this moment."""


@dataclass
class Job:
    """What a provider knows of a submission."""

    lost: bool
    lies_after: float
    deliveries: list = field(default_factory=list)


class Bucket(dict):
    """Linearizable: key to (ETag, value)."""

    def __init__(self):
        super().__init__()
        self.etags = itertools.count()

    def put(self, key, value):
        self[key] = (next(self.etags), value)

    def create(self, key, value):
        if key in self:
            return False
        self.put(key, value)
        return True


class Schedule:
    """One job's whole life, as one seed has it."""

    judge = staticmethod(judge)

    def __init__(self, seed):
        self.dice, self.now, self.bucket = random.Random(seed), 0.0, Bucket()
        self.queue, self.order, self.names = [], itertools.count(), itertools.count()
        self.begun = self.died = 0
        self.computing, self.overlaps, self.dead = set(), 0, set()
        self.jobs = {}
        self.one_machine = self.dice.random() < 0.3  # then a dead process is known to be dead

    def spawn(self, kind, process, after):
        heapq.heappush(self.queue, (self.now + after, next(self.order), kind, process))

    def play(self):
        for _ in range(self.dice.choice([1, 1, 2])):
            self.spawn("orchestrator", self.orchestrator(), self.dice.uniform(0, 10))
        if self.dice.random() < 0.3:
            reconciler = self.orchestrator(only_looks=True)
            self.spawn("reconciler", reconciler, self.dice.uniform(0, 4_000))
        while self.queue and self.now < HORIZON_SECONDS:
            self.now, _, kind, process = heapq.heappop(self.queue)
            try:
                if self.dice.random() < KILLS[kind]:
                    process.throw(Killed)
                self.spawn(kind, process, next(process))
            except StopIteration:
                pass
            except Killed:
                if kind == "orchestrator":  # another orchestrator starts
                    self.spawn(kind, self.orchestrator(), self.dice.uniform(10, 900))
        return self

    def worker(self, n):
        dice, me = self.dice, next(self.names)
        cut_off = (
            since := self.now + dice.uniform(0, 900),
            since + dice.choice([60, 200, 1000, 3000]),
        )
        is_cut_off = (lambda: cut_off[0] <= self.now < cut_off[1]) if dice.random() < 0.3 else bool
        yield dice.uniform(0, 3)
        if "result" in self.bucket:
            return
        while True:  # create the claim; an answer that got lost is looked up
            yield dice.uniform(0, 3)
            if is_cut_off():
                continue
            answered = dice.random() > 0.1
            arrived = answered or dice.random() < 0.5
            if arrived:
                self.bucket.create(f"claim-{n}", (me, "running"))
            if not answered:
                yield dice.uniform(0, 20)
            if f"claim-{n}" in self.bucket:
                break
        if self.bucket[f"claim-{n}"][1][0] != me:
            return
        yield from self.compute(n, me, is_cut_off)

    def compute(self, n, me, is_cut_off):
        dice, claim = self.dice, f"claim-{n}"
        self.begun += 1
        self.overlaps += bool(self.computing)
        self.computing.add(me)
        last_beat, left = self.now, dice.choice([5, 40, 300, 1500])
        try:
            while left > 0:
                step = min(left, dice.uniform(5, STEP_SECONDS))
                sent_at = None
                if self.now - last_beat >= HEARTBEAT_SECONDS and not is_cut_off():
                    self.bucket.put(claim, (me, "running"))
                    sent_at = self.now
                yield step
                last_beat, left = sent_at or last_beat, left - step
                if self.now - last_beat > FENCE_SECONDS:
                    self.died += 1  # cut off for so long counts as dead
                    return
            while is_cut_off():
                yield 5
                if self.now - last_beat > FENCE_SECONDS:
                    self.died += 1
                    return
            if dice.random() < 0.05:
                self.died += 1  # a failure that another attempt may mend counts like a death
                self.bucket.put(claim, (me, "failed"))
                return
            self.bucket.create("result", (me, n))
            self.computing.discard(me)
            yield dice.uniform(0, 3)
            self.bucket.put(claim, (me, "done"))
        except Killed:
            if "result" not in self.bucket or self.bucket["result"][1][0] != me:
                self.died += 1
            self.dead.add(me)
            raise
        finally:
            self.computing.discard(me)

    def submit(self, n):
        dice = self.dice
        job = Job(lost=dice.random() < 0.1, lies_after=self.now + dice.uniform(0, 20_000))
        for _ in range(0 if job.lost else 1 + (dice.random() < 0.3) + (dice.random() < 0.1)):
            worker = self.worker(n)
            job.deliveries.append(worker)
            self.spawn("worker", worker, dice.random() * dice.choice([1, 30, 600, 3000, 5000]))
        name = next(self.names)
        self.jobs[name] = job
        return name

    def orchestrator(self, *, only_looks=False):
        """`only_looks`: the reconciler, which judges what is there and begins nothing."""
        me, dice, bucket = next(self.names), self.dice, self.bucket
        seen = {}  # of each attempt: since when it is watched, its ETag, since when that is so
        try:
            while True:
                yield dice.uniform(1, 30)
                if "result" in bucket:
                    return
                if dice.random() < INTERRUPTED:
                    yield from self.interrupted(me)
                    return
                n = max((int(key[8:]) for key in bucket if key.startswith("attempt-")), default=0)
                if n and bucket[f"attempt-{n}"][1][1] is None:
                    yield from self.look(n, seen.setdefault(n, [self.now, None, self.now]))
                    continue
                if only_looks:
                    continue
                yield dice.uniform(0, 5)
                if bucket.create(f"attempt-{n + 1}", (me, None)):
                    yield from self.hand_over(n + 1)
        except Killed:
            self.dead.add(me)
            raise

    def hand_over(self, n):
        """If its arrival is unknown, its creator abandons it unless a worker was first."""
        dice = self.dice
        yield dice.uniform(0, 5)
        answered = dice.random() > 0.1
        job = self.submit(n) if answered or dice.random() < 0.5 else None
        yield dice.uniform(0, 5) if answered else dice.uniform(0, 45)
        if answered:
            self.bucket.create(f"submitted-{n}", job)
        elif self.bucket.create(f"claim-{n}", (None, "buried")):
            yield dice.uniform(0, 2)
            self.close(n, "buried")

    def interrupted(self, me):
        """An interrupted run abandons its own attempts that never started; the next run follows."""
        dice = self.dice
        for n in [int(key[8:]) for key in self.bucket if key.startswith("attempt-")]:
            creator, status = self.bucket[f"attempt-{n}"][1]
            if creator == me and status is None:
                yield dice.uniform(0, 2)
                if self.bucket.create(f"claim-{n}", (None, "buried")):
                    yield dice.uniform(0, 2)
                    self.close(n, "buried")
        self.dead.add(me)
        self.spawn("orchestrator", self.orchestrator(), dice.uniform(10, 900))

    def close(self, n, status):
        self.bucket.put(f"attempt-{n}", (self.bucket[f"attempt-{n}"][1][0], status))

    def look(self, n, seen):
        """As the engine does: what its backend says, the claim, a verdict on both; the result last.

        The result is looked at only where the verdict, or its backend, says that it may be there.
        """
        bucket, dice = self.bucket, self.dice
        _, submission = bucket.get(f"submitted-{n}", (0, None))
        is_final = submission is not None and self.is_final(self.jobs[submission])
        yield dice.uniform(0, 2)
        etag, claim = bucket.get(f"claim-{n}", (None, None))
        if etag != seen[1]:
            seen[1:] = [etag, self.now]
        observation = Observation(
            attempt=ATTEMPT,
            lease=claim and Lease.model_construct(state=claim[1]),
            submitted=submission is not None,
            provider_is_final=is_final,
            watched_seconds=self.now - seen[0],
            unchanged_seconds=self.now - seen[2],
            owner_is_dead=self.one_machine and claim is not None and claim[0] in self.dead,
            creator_is_dead=self.one_machine and bucket[f"attempt-{n}"][1][0] in self.dead,
        )
        verdict = self.judge(observation)
        if verdict.action == "wait" and not is_final:
            return
        yield dice.uniform(0, 2)
        if "result" in bucket:
            return
        yield dice.uniform(0, 2)
        buried = verdict.action == "abandon" and bucket.create(f"claim-{n}", (None, "buried"))
        yield dice.uniform(0, 2)
        if buried or verdict.action == "close":
            self.close(n, verdict.status)

    def is_final(self, job):
        ended = all(worker.gi_frame is None for worker in job.deliveries)
        return job.lost or ended or self.now > job.lies_after


def found(schedules):
    """How many schedules lost the job, paid too often, or had two concurrent computations."""
    played = [Schedule(seed).play() for seed in range(schedules)]
    return {
        "lost": sum("result" not in one.bucket for one in played),
        "paid_twice": sum(one.begun > 1 + one.died for one in played),
        "overlapped": sum(one.overlaps > 0 for one in played),
        "computations": sum(one.begun for one in played),
        "deaths": sum(one.died for one in played),
    }


def test_no_schedule_loses_a_job_or_pays_for_it_twice():
    outcome = found(SCHEDULES)

    assert (outcome["lost"], outcome["paid_twice"], outcome["overlapped"]) == (0, 0, 0)
    assert outcome["computations"] == SCHEDULES + outcome["deaths"]
    assert outcome["deaths"] > SCHEDULES / 10  # or the schedules try nothing


def test_the_model_would_notice_an_orchestrator_without_patience(monkeypatch):
    monkeypatch.setattr(idempotency, "SILENT_SECONDS", 60.0)

    assert found(200)["paid_twice"] > 0


def test_the_model_would_notice_a_judge_that_believes_the_provider(monkeypatch):
    def believes(observation):
        final = observation.provider_is_final and observation.lease is not None
        return idempotency.Verdict("close", "it says so") if final else judge(observation)

    monkeypatch.setattr(Schedule, "judge", staticmethod(believes))

    assert found(200)["paid_twice"] > 0
