"""Sends what is due to all channels at the same time, and waits for none longer than a limit."""

from collections.abc import Callable, Mapping
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from datetime import datetime
from threading import Thread
from time import monotonic
from typing import Final

from escriba.alerts.channels import Channel
from escriba.alerts.episodes import Notice
from escriba.alerts.outgoing import AlertState, Outgoing, after_sending, due, trying
from escriba.settings import Settings
from resources.storage.base import Storage

from .alert_store import write_state
from .send_message import Sent, send_notices, why_not

PATIENCE_SECONDS: Final = 10.0  # for all channels together: a sensor has a minute


def deliver(  # noqa: PLR0913  # the moment, by name
    settings: Settings,
    storage: Storage,
    state: AlertState,
    now: datetime,
    *,
    quiet: bool,
    patience_seconds: float = PATIENCE_SECONDS,
) -> AlertState:
    """Send what is due, and return the state after it, which is written.

    The state is also written before: if this process is killed meanwhile, the messages are sent
    again, and say that they may have been sent before.
    """
    channels = {one.name: one for one in settings.alert_places}
    ready = {
        name: found
        for name, outgoing in state.channels.items()
        if name in channels and (found := due(outgoing, now, quiet=quiet))
    }
    if not ready:
        return state
    before = dict(state.channels)
    marked = {name: trying(before[name], found) for name, found in ready.items()}
    write_state(storage, state.model_copy(update={"channels": before | marked}))
    sent = _send_all(settings, channels, before, ready, patience_seconds)
    after = {
        name: after_sending(before[name], one.notices, one.error, now, is_unsure=one.is_unsure)
        for name, one in sent.items()
    }
    state = state.model_copy(update={"channels": before | after})
    write_state(storage, state)
    return state


def _send_all(
    settings: Settings,
    channels: Mapping[str, Channel],
    outgoing: Mapping[str, Outgoing],
    ready: Mapping[str, tuple[Notice, ...]],
    patience_seconds: float,
) -> dict[str, Sent]:
    """Each in its own thread, which is left alone when the time is over."""

    def one(name: str) -> Sent:
        waiting = outgoing[name]
        return send_notices(
            channels[name],
            ready[name],
            settings,
            perhaps_sent=waiting.trying,
            dropped=waiting.dropped,
        )

    started = {name: _in_thread(lambda name=name: one(name)) for name in ready}  # type: ignore[misc]
    until = monotonic() + patience_seconds
    return {
        name: _result(channels[name], future, until - monotonic())
        for name, future in started.items()
    }


def _in_thread(work: Callable[[], Sent]) -> "Future[Sent]":
    """A daemon thread: one that hangs does not keep the process from ending."""
    future: Future[Sent] = Future()

    def run() -> None:
        try:
            future.set_result(work())
        except BaseException as error:  # noqa: BLE001  # handed to the waiting thread
            future.set_exception(error)

    Thread(target=run, daemon=True).start()
    return future


def _result(channel: Channel, future: "Future[Sent]", seconds: float) -> Sent:
    """What became of one channel; nothing that goes wrong with it keeps the others from theirs."""
    try:
        return future.result(max(0.0, seconds))
    except FutureTimeoutError:
        return Sent((), "It did not answer in time.", is_unsure=True)
    except Exception as error:  # noqa: BLE001  # else what the others got is sent again each minute
        return Sent((), why_not(channel, f"{type(error).__name__}: {error}"), is_unsure=True)
