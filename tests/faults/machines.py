"""A batch service on the timeline: each machine processes the jobs of a manifest in their order."""

import json
import urllib.parse
from pathlib import Path

from gpu_job.contract import Manifest
from gpu_job.contract.packing import unpacked

from .machine_client import TAKEN_AWAY
from .provider import Delivery, Provider


class Machines(Provider):
    """As Provider. A life is that of a machine: it begins with the first job of its manifest.

    Each job runs in a process of its own, and the machine ends with a process that was killed or
    stopped, as the one process of a real machine does. `times`: how often the service starts a
    machine for the manifest.
    """

    def __init__(self, timeline, zygote, world):
        super().__init__(timeline, zygote, world)
        self._by_name, self._stopped = {}, set()

    def run(self, input_, policy=None):
        """A second submission of a name finds the first."""
        name = input_["name"]
        if name not in self._by_name:
            self._by_name[name] = super().run(input_, policy)
        return self._by_name[name]

    def cancel(self, id_):
        self._stopped.add(id_)
        super().cancel(id_)

    def _work_on(self, delivery, line, input_):
        """The manifest's jobs, until there are none or the machine is gone; its report."""
        requests = _requests_at(input_["manifest"])
        if requests is None:
            delivery.outcome = {"state": "undelivered", "heard_seconds": 0.0}
            return {"answer": {"error": "exit status 2"}}
        failed, current = False, delivery
        for number, request in enumerate(requests):
            if number:
                line = self._timeline.join()
                current = Delivery(delivery.id, {})
                self.deliveries.append(current)
                if delivery.id in self._stopped:
                    self._end(current, line, {"state": "undelivered", "heard_seconds": 0.0})
                    return {"answer": {"error": TAKEN_AWAY}}
            super()._work_on(current, line, request)
            if number:
                current.over.set()
            if current.state in {"killed", "stopped"}:
                return {"answer": {"error": TAKEN_AWAY}}
            failed = failed or current.state == "failed"
        return {"answer": {"error": "exit status 1"} if failed else {}}

    @staticmethod
    def _end(delivery, line, outcome):
        delivery.outcome = outcome
        delivery.over.set()
        line.leave()


def _requests_at(url):
    """The requests of a manifest in the local bucket; None if it is gone."""
    path = Path(urllib.parse.unquote(urllib.parse.urlsplit(url).path))
    if not path.exists():
        return None
    manifest = Manifest.model_validate_json(unpacked(path.read_bytes()))
    return [json.loads(one.model_dump_json(exclude_none=True)) for one in manifest.requests]
