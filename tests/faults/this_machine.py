"""What an orchestrator's own workers report to the world, and the APIs on loopback that they ask.

`lives` say how the next jobs go wrong; a life of a provider elsewhere (a wait in its queue, a
second delivery) means nothing here.
"""

import threading
import time
from collections import deque
from multiprocessing.connection import Listener
from pathlib import Path

from gpu_job.contract.process_identity import is_known_dead, place_of
from tests import fake_openai as openai
from tests import fake_pyannote_ai as pyannote

from .provider import Delivery

_BACKLOG = 64
_ENDS_WITHIN_SECONDS = 5.0  # real time, of a process whose parent is gone
_HTML = b"<html>bad gateway</html>"
OPENAI_FAULTS = {
    "500": openai.BROKEN,
    "502 with HTML": openai.Fault(status=502, body=_HTML),
    "429": openai.busy(),
    "429 for a while": openai.busy(7),
    "401": openai.Fault(status=401, body=b'{"error": {"message": "no such key"}}'),
    "answer lost": openai.RESET,
    "truncated JSON": openai.TRUNCATED,
}
PYANNOTE_AI_FAULTS = {
    "500": pyannote.Fault(),
    "502 with HTML": pyannote.Fault(502, _HTML),
    "429": pyannote.busy(),
    "429 for a while": pyannote.busy(Retry_After="7"),
    "401": pyannote.Fault(401, b'{"message": "no such key"}'),
    "answer lost": pyannote.LOST,
    "truncated JSON": pyannote.CUT,
}


class _Faults(dict):
    """What goes wrong, by verb. lost: the answers to paid requests that were lost on their way."""

    def __init__(self, paid):
        super().__init__()
        self.paid, self.lost = paid, 0

    def __missing__(self, verb):
        self[verb] = _Scripted(self, verb)
        return self[verb]


class _Scripted(deque):
    """What happens to the next requests, of which None is nothing."""

    def __init__(self, faults, verb):
        super().__init__()
        self._faults, self._is_paid = faults, verb == faults.paid

    def popleft(self):
        fault = super().popleft()
        carried_out = getattr(fault, "billed", False) or getattr(fault, "done", False)
        self._faults.lost += self._is_paid and carried_out
        return fault


class ThisMachine:
    """A context manager. place: where workers report. jobs: none, as nothing runs elsewhere."""

    paid = ""  # the verb that buys

    def __init__(self, timeline, _zygote, world):
        self._timeline, self.lives, self.deliveries = timeline, [], []
        self.faults, self._workers = _Faults(self.paid), set()
        folder = Path(timeline.address).parent
        self._listener = Listener(str(folder / "this_machine"), "AF_UNIX", _BACKLOG)
        world["place"] = str(self._listener.address)
        self.settings = {"diarizer": "none", "models_folder": str(folder)}

    def __enter__(self):
        threading.Thread(target=self._listen, daemon=True).start()
        return self

    def __exit__(self, *_):
        self._listener.close()

    def count(self, _verb):
        """How often an API was asked so."""
        return 0

    def outage(self, since, seconds):
        """No API is down, as there is none."""

    def orphans(self):
        """Workers that go on though no orchestrator runs."""
        until = time.monotonic() + _ENDS_WITHIN_SECONDS
        while (alive := [one for one in self._workers if not is_known_dead(one)]) and (
            time.monotonic() < until
        ):
            time.sleep(0.01)
        return len(alive)

    def bought_again(self, _recordings):
        """Paid pieces beyond those of the results."""
        return 0

    def _listen(self):
        while True:
            try:
                far = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._follow, args=(far,), daemon=True).start()

    def _follow(self, far):
        """Tell a worker how its job goes, and keep what becomes of it."""
        delivery = Delivery("", dict(self.lives.pop(0)) if self.lives else {})
        self.deliveries.append(delivery)
        began = self._timeline.now
        try:
            delivery.id, pid = far.recv()
            self._workers.add(place_of(pid))
            far.send(delivery.life)
            delivery.outcome = far.recv()
        except (EOFError, OSError):
            delivery.outcome = None
        delivery.gpu_seconds = self._timeline.now - began
        delivery.over.set()


class OpenAIApi(ThisMachine):
    """With an OpenAI-compatible API. A recording is bought in two pieces."""

    paid, pieces = "transcribe", 2

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self._api, self._down = openai.FakeOpenAI(), (0.0, 0.0)
        self._api.next_fault = self._next_fault
        self.settings |= self._api.settings | {"openai_max_seconds": 1, "openai_times": "word"}

    def __enter__(self):
        self._api.__enter__()
        return super().__enter__()

    def __exit__(self, *_):
        super().__exit__()
        self._api.__exit__()

    def count(self, _verb):
        return len(self._api.requests)

    def outage(self, since, seconds):
        self._down = (since, since + seconds)

    def bought_again(self, recordings):
        return self._api.billed.total() - recordings * self.pieces

    def _next_fault(self):
        if self._down[0] <= self._timeline.now < self._down[1]:
            return openai.BROKEN
        scripted = self.faults[self.paid]
        return scripted.popleft() if scripted else None


class PyannoteAiApi(ThisMachine):
    """With pyannoteAI. A recording is one job there, and each job is counted as paid."""

    paid = "diarize"

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self._api = pyannote.FakePyannoteAi("pyannote-key")
        self._api.faults = self.faults

    def __enter__(self):
        self._api.__enter__()
        self.settings |= self._api.settings | {"pyannote_ai_poll_seconds": 20}
        return super().__enter__()

    def __exit__(self, *_):
        super().__exit__()
        self._api.__exit__()

    def count(self, verb):
        return self._api.requests[verb]

    def bought_again(self, recordings):
        return len(self._api.jobs) - recordings
