"""RunPod's batch jobs (beta), as docs.runpod.io/serverless/batch-jobs describes them.

The requests of a batch are jobs of the endpoint that nobody takes before it is finalized. Calls
count, and break, by these names: batch-create, batch-append, batch-finalize, batch-summary,
batch-requests, batch-cancel.
"""

import json
from dataclasses import dataclass, field

CALL_BYTES, MOST_REQUESTS, MOST_ACTIVE = 10 * 1024 * 1024, 5_000, 10
DONE = {"COMPLETED", "FAILED", "CANCELLED", "TIMED_OUT"}


@dataclass
class Batch:
    """accepted: how many requests ever came, also of those that were lost. jobs: their ids."""

    id: str
    name: str
    status: str = "DRAFT"
    accepted: int = 0
    jobs: list = field(default_factory=list)


class Batches:
    """is_of_july: answers as before August 2026. page: requests in one answer, at most."""

    def __init__(self, endpoint):
        self._endpoint = endpoint
        self.all, self.is_of_july, self.page, self.bodies = {}, False, 500, []

    @staticmethod
    def call_of(command, rest):
        """The name of a call."""
        if len(rest) < 2:
            return "batch-summary" if rest else "batch-create"
        kind = "append" if command == "POST" and rest[1] == "requests" else rest[1]
        return f"batch-{kind}"

    def answer(self, command, rest, asked, body):
        call = self.call_of(command, rest)
        if len(body) > CALL_BYTES:
            return 413, {"error": "request body too large"}
        if call == "batch-create":
            return self._create(json.loads(body), len(body))
        if rest[0] not in self.all:
            return 404, {"error": "batch not found"}
        return self._answer(call, self.all[rest[0]], asked, body)

    def _answer(self, call, batch, asked, body):
        if call == "batch-append":
            return self._append(batch, json.loads(body)["requests"], len(body))
        if call == "batch-finalize":
            return self._finalize(batch)
        if call == "batch-cancel":
            return self._cancel(batch)
        return 200, self._summary(batch) if call == "batch-summary" else self._page(batch, asked)

    def _create(self, told, size):
        if sum(self._is_active(one) for one in self.all.values()) >= MOST_ACTIVE:
            return 400, {"error": "too many active batches"}
        batch = Batch(f"batch_{len(self.all) + 1}", told.get("name", ""))
        self.all[batch.id] = batch
        return self._append(batch, told.get("requests", []), size)

    def _append(self, batch, requests, size):
        if batch.status != "DRAFT":
            return 400, {"error": "the batch is finalized"}
        if batch.accepted + len(requests) > MOST_REQUESTS:
            return 400, {"error": "too many requests in the batch"}
        self.bodies.append(size)
        batch.accepted += len(requests)
        batch.jobs += [
            self._endpoint.run(one["input"], one.get("policy"), held=True) for one in requests
        ]
        return 200, self._summary(batch)

    def _finalize(self, batch):
        if batch.status != "DRAFT":
            return 400, {"error": f"the batch is {batch.status}"}
        batch.status = "FINALIZED"
        self._endpoint.release([id_ for id_ in batch.jobs if id_ in self._endpoint.jobs])
        return 200, self._summary(batch)

    def _cancel(self, batch):
        if not self._is_active(batch) and batch.status != "DRAFT":
            return 400, {"error": "the batch is over"}
        batch.status = "CANCELLED"
        self._endpoint.cancel_waiting(batch.jobs)
        return 200, self._summary(batch)

    def _is_active(self, batch):
        states = [job.status for job in self._jobs(batch)]
        return batch.status == "FINALIZED" and not DONE.issuperset(states)

    def _jobs(self, batch):
        return [self._endpoint.jobs[id_] for id_ in batch.jobs if id_ in self._endpoint.jobs]

    def _summary(self, batch):
        states = [job.status for job in self._jobs(batch)]
        counts = {
            "InProgress": states.count("IN_PROGRESS"),
            "Completed": states.count("COMPLETED"),
            "Failed": sum(state in DONE - {"COMPLETED"} for state in states),
        }
        told = {"id": batch.id, "name": batch.name, "status": batch.status}
        if not self.is_of_july:
            counted = {f"request{name}": count for name, count in counts.items()}
            return told | counted | {"requestTotal": batch.accepted}
        if batch.status == "DRAFT":
            told["status"] = "OPEN"
        elif batch.status == "FINALIZED":
            ended = counts["Completed"] + counts["Failed"] >= batch.accepted
            told["status"] = "COMPLETED" if ended else "RUNNING"
        counted = {f"{name[0].lower()}{name[1:]}Count": count for name, count in counts.items()}
        return told | counted | {"itemCount": batch.accepted}

    def _page(self, batch, asked):
        first = int(asked.get("cursor" if self.is_of_july else "offset", 0))
        most = min(self.page, int(asked.get("limit", self.page)))
        jobs = self._jobs(batch)
        told = {"requests": [job.view() for job in jobs[first : first + most]]}
        if self.is_of_july and first + most < len(jobs):
            told["nextCursor"] = str(first + most)
        return told
