"""A batch service of the fault suite, as its provider: a job's input is the address of a manifest.

It speaks to the endpoint on loopback, whose faults and steps are thus those of batch machines too.
"""

import contextlib
import json

from escriba.billing.quotes import Health
from escriba.errors import BackendUnavailableError
from resources.gpu.backend import AttemptReport
from resources.gpu.batch_machines.provider import MachineState
from resources.gpu.runpod.client import EndpointClient, open_http
from resources.gpu.runpod.jobs import observation_of
from resources.http.json_requests import RefusedError, TransientError

TAKEN_AWAY = "the machine was taken away"


class MachineClient:
    """A MachineProvider."""

    def __init__(self, settings, time_):
        self._settings, self._http = settings, None
        secret = settings.runpod_api_key.get_secret_value()
        self._client = EndpointClient(self._open, settings.runpod_endpoint_id, secret, time_)

    async def submit(self, job):
        limits = (job.run_limit_seconds, job.queue_limit_seconds)
        policy = {"executionTimeout": limits[0] * 1000, "ttl": sum(limits) * 1000}
        input_ = {"name": job.name, "manifest": job.manifest_url}
        return await self._client.submit(json.dumps({"input": input_, "policy": policy}).encode())

    async def states(self, ids):
        states = {}
        for id_ in ids:
            try:
                states[id_] = _state(await self._client.status(id_))
            except TransientError as error:
                raise BackendUnavailableError(error.what) from error
            except RefusedError as refused:
                if not refused.is_unknown:
                    raise BackendUnavailableError(str(refused)) from refused
        return states

    async def stop(self, ids):
        for id_ in ids:
            with contextlib.suppress(TransientError, RefusedError):
                await self._client.cancel(id_)

    async def health(self):
        try:
            await self._client.health()
        except (TransientError, RefusedError) as error:
            return Health("down", str(error), lasting=isinstance(error, RefusedError))
        return Health("well")

    def console_url(self, id_):
        return f"https://machines.example/{id_}"

    async def close(self):
        if self._http is not None:
            await self._http.aclose()
            self._http = None

    def _open(self):
        if self._http is None:
            key = self._settings.runpod_api_key.get_secret_value()
            self._http = open_http(self._settings.runpod_api_url, key)
        return self._http


def _state(answer):
    found = observation_of(answer, "")
    if found.report is None:
        return MachineState(found.phase)
    code = "cancelled" if TAKEN_AWAY in found.report.error else ""
    return MachineState("ended", AttemptReport(found.report.status, found.report.error, code))
