"""RunPod on loopback, on the timeline: each job gets a worker in a separate process."""

import signal
import threading
from dataclasses import dataclass, field

from tests.fake_runpod import FINAL, FakeRunPod

START_SECONDS = 20.0


@dataclass
class Delivery:
    """A job that was delivered to a worker.

    outcome: the worker's report; None if it was killed.
    """

    id: str
    life: dict
    child: object = None
    outcome: dict | None = None
    gpu_seconds: float = 0.0
    over: threading.Event = field(default_factory=threading.Event)

    @property
    def state(self):
        return self.outcome["state"] if self.outcome else "killed"


class Provider(FakeRunPod):
    """lives: how the workers of the next deliveries behave, in this order.

    A life may also contain the provider's behavior: `waits`: seconds in the queue; `times`: how
    often it is delivered; `lost`: the provider forgets it, 'before' its worker starts or 'during'
    its work; `untold`: it is COMPLETED without any work.
    """

    def __init__(self, timeline, zygote, world):
        super().__init__(clock=lambda: timeline.now)
        self._timeline, self._zygote, self._world = timeline, zygote, world
        self.lives, self.deliveries = [], []

    def run(self, input_, policy=None):
        id_ = super().run(input_, policy)
        life = dict(self.lives.pop(0)) if self.lives else {}
        waits = life.pop("waits", START_SECONDS)
        for turn in range(life.pop("times", 1)):
            line = self._timeline.join()
            delivery = Delivery(id_, life if turn == 0 else {})
            self.deliveries.append(delivery)
            until = self._timeline.now + waits * (1 + turn)
            threading.Thread(
                target=self._deliver, args=(delivery, line, until), daemon=True
            ).start()
        return id_

    def orphans(self):
        """Jobs that the provider still has."""
        return sum(job.status not in FINAL for job in self.jobs.values())

    def bought_again(self, _recordings):
        """Nothing is sold by the piece."""
        return 0

    def outage(self, since, seconds):
        """The provider is down from then on, for that long."""
        line = self._timeline.join()

        def last():
            line.wait(since)
            self.go_down()
            line.sleep(seconds)
            self.come_back()
            line.leave()

        threading.Thread(target=last, daemon=True).start()

    def cancel(self, id_):
        if self.jobs[id_].status in FINAL:
            return  # it has ended already
        super().cancel(id_)
        for delivery in self.deliveries:
            if delivery.id == id_ and delivery.child and not delivery.over.is_set():
                delivery.child.signal(signal.SIGTERM)

    def _deliver(self, delivery, line, until):
        line.wait(until)
        try:
            self._work(delivery, line)
        finally:
            delivery.over.set()
            line.leave()

    def _work(self, delivery, line):
        self.look_at_policies()
        job = self.jobs.get(delivery.id)
        if job is None or (job.status in FINAL and job.status != "COMPLETED"):
            delivery.outcome = {"state": "undelivered", "heard_seconds": 0.0}
            return
        with self._changed:
            if delivery.id in self._queue:
                self._queue.remove(delivery.id)
            if job.status == "IN_QUEUE":
                job.status, job.worker, job.began = "IN_PROGRESS", delivery.id, self.clock()
        life = delivery.life
        lost, untold = life.pop("lost", ""), life.pop("untold", False)
        if lost:
            self.lose(delivery.id)
        if lost == "before" or untold:
            delivery.outcome = {"state": "undelivered", "heard_seconds": 0.0}
        else:
            report = self._work_on(delivery, line, job.input)
            self.done(delivery.id, delivery.id, _posted(report.get("answer", {})))
            return
        self.done(delivery.id, delivery.id, _posted({}))

    def _work_on(self, delivery, line, request):
        """Let a worker do the job; its report."""
        began = self._timeline.now
        life = delivery.life
        delivery.child = self._zygote.fork("worker", request=request, **self._world, **life)
        line.leave()
        delivery.outcome = delivery.child.outcome()
        delivery.gpu_seconds = self._timeline.now - began
        return delivery.outcome or {"answer": {"error": "worker exited with exit code 137"}}


def _posted(answer):
    """As RunPod's SDK posts what a handler returns."""
    if "error" in answer:
        return {"error": answer["error"]}
    return {"output": answer}
