"""A batch service in this process: each job that it is given gets a machine with a real worker."""

import asyncio
from dataclasses import dataclass, field

from escriba.billing.quotes import Health
from escriba.errors import BackendUnavailableError
from resources.gpu.backend import AttemptReport
from resources.gpu.batch_machines.provider import MachineState
from tests.machine_worker import MachineWorker

INTERRUPTED = AttemptReport("FAILED", "the machine was taken away", "cancelled")


@dataclass
class Machine:
    """A job and its machine. worker: None while it waits for one."""

    job: object
    worker: MachineWorker | None = None
    earlier: list = field(default_factory=list)  # workers of machines that were taken away
    report: AttemptReport | None = None


class FakeMachines:
    """A MachineProvider; a context manager.

    faults: errors of the next submissions, by whether the job is accepted nevertheless. has_room:
    whether there are machines. unseen: looks for which a new job is unknown. hidden: jobs that it
    no longer knows. answers: False while it does not answer. retries: it starts the same manifest
    on another machine once its machine was killed.
    """

    def __init__(self, models, *, cloud=""):
        self._models, self._cloud = models, cloud
        self.machines, self.submitted, self.stopped = {}, [], []
        self.faults, self.hidden, self._looks = [], set(), {}
        self.has_room, self.answers, self.retries, self.unseen = True, True, False, 0
        self.requests = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for machine in self.machines.values():
            for worker in (*machine.earlier, machine.worker):
                if worker is not None:
                    worker.close()

    async def submit(self, job):
        self.requests += 1
        fault = self.faults.pop(0) if self.faults else None
        if fault != "refused" and job.name not in self.machines:
            self.submitted.append(job)
            self.machines[job.name] = Machine(job)
            self.give_room()
        if fault:
            raise BackendUnavailableError(f"the submission was {fault}")
        return job.name

    def give_room(self):
        """Start a machine for each job that waits, if there is room."""
        for machine in self.machines.values():
            if self.has_room and machine.worker is None and machine.report is None:
                machine.worker = self._worker(machine)

    async def states(self, ids):
        self.requests += 1
        if not self.answers:
            raise BackendUnavailableError("the service is throttled")
        known = {id_: self.machines[id_] for id_ in ids if self._knows(id_)}
        return {id_: self._state(machine) for id_, machine in known.items()}

    async def stop(self, ids):
        self.requests += 1
        for id_ in ids:
            self.stopped.append(id_)
            machine = self.machines.get(id_)
            if machine is None:
                continue
            if machine.worker is None:
                machine.report = machine.report or AttemptReport("CANCELLED")
            else:
                machine.worker.stop()
                await asyncio.to_thread(machine.worker.wait)

    async def health(self):
        self.requests += 1
        return Health("well") if self.answers else Health("down", "the service does not answer")

    def console_url(self, id_):
        return f"https://machines.example/{id_}"

    async def close(self):
        pass

    def _worker(self, machine):
        return MachineWorker(machine.job.manifest_url, self._models, cloud=self._cloud)

    def _knows(self, id_):
        self._looks[id_] = self._looks.get(id_, 0) + 1
        return id_ in self.machines and id_ not in self.hidden and self._looks[id_] > self.unseen

    def _state(self, machine):
        self._look_at(machine)
        if machine.report is not None:
            return MachineState("ended", machine.report)
        return MachineState("waits" if machine.worker is None else "runs")

    def _look_at(self, machine):
        status = machine.worker.status if machine.worker else None
        if machine.report is not None or status is None:
            return
        if status in {0, 1, 2}:
            text = "" if status == 0 else f"exit status {status}"
            machine.report = AttemptReport("COMPLETED" if status == 0 else "FAILED", text)
        elif self.retries and status < 0:
            machine.earlier.append(machine.worker)
            machine.worker = self._worker(machine)
        else:
            machine.report = INTERRUPTED
