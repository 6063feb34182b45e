"""What waits for each channel, and which channels do not answer."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Final

from pydantic import BaseModel, ConfigDict, Field

from .channels import Channel, channels_for
from .episodes import Episodes, Notice

_LONGEST_QUEUE: Final = 200  # notices; a channel that is down for weeks gets the newest
_KNOWN: Final = 500  # ids; far more than can begin between two looks
_FIRST_PAUSE: Final = timedelta(minutes=1)
_LONGEST_PAUSE: Final = timedelta(hours=1)


class Outgoing(BaseModel):
    """What waits for one channel.

    trying: ids that were being sent when this was written: after a kill, nobody knows whether
    they arrived. dropped: how many were too many to keep.
    """

    model_config = ConfigDict(frozen=True)

    queue: tuple[Notice, ...] = ()
    trying: tuple[str, ...] = ()
    failures: int = 0
    down_since: datetime | None = None
    next_at: datetime | None = None
    error: str = ""
    dropped: int = 0


class AlertState(BaseModel):
    """`alerts/state.json`: all that must survive a restart. known: ids that were queued before."""

    model_config = ConfigDict(frozen=True)

    episodes: Episodes = Field(default_factory=Episodes)
    channels: dict[str, Outgoing] = Field(default_factory=dict)
    known: tuple[str, ...] = ()


def queued(
    state: AlertState,
    notices: Iterable[Notice],
    channels: Iterable[Channel],
    of_tenants: Mapping[str, tuple[str, ...]],
) -> AlertState:
    """The state with each new notice in the queues of its channels.

    What waits for a channel that is no longer set is dropped.
    """
    every = tuple(channels)
    queues = {one.name: state.channels.get(one.name, Outgoing()) for one in every}
    known = dict.fromkeys(state.known)
    for notice in notices:
        if notice.id in known:
            continue
        known[notice.id] = None
        for channel in channels_for(every, notice.tenant, dict(of_tenants)):
            if not channel.is_pager or _for_pagers(notice):
                queues[channel.name] = _put(queues[channel.name], notice)
    return AlertState(episodes=state.episodes, channels=queues, known=tuple(known)[-_KNOWN:])


def _for_pagers(notice: Notice) -> bool:
    return notice.severity == "critical" and notice.kind in {"began", "over"}


def _put(outgoing: Outgoing, notice: Notice) -> Outgoing:
    queue = (*outgoing.queue, notice)
    dropped = outgoing.dropped + max(0, len(queue) - _LONGEST_QUEUE)
    return outgoing.model_copy(update={"queue": queue[-_LONGEST_QUEUE:], "dropped": dropped})


def due(outgoing: Outgoing, now: datetime, *, quiet: bool) -> tuple[Notice, ...]:
    """What may be sent now; in quiet hours, only what is critical."""
    if outgoing.next_at is not None and now < outgoing.next_at:
        return ()
    return tuple(one for one in outgoing.queue if not quiet or one.severity == "critical")


def trying(outgoing: Outgoing, notices: Iterable[Notice]) -> Outgoing:
    """Before sending: these may arrive from now on."""
    return outgoing.model_copy(update={"trying": tuple(one.id for one in notices)})


def after_sending(
    outgoing: Outgoing,
    sent: Iterable[Notice],
    error: str,
    now: datetime,
    *,
    is_unsure: bool = False,
) -> Outgoing:
    """Without what was sent; with an error, the next try waits twice as long as the last.

    is_unsure: the rest may have arrived.
    """
    gone = {one.id for one in sent}
    rest = tuple(one for one in outgoing.queue if one.id not in gone)
    unsure = tuple(one.id for one in rest if is_unsure or one.id in outgoing.trying)
    if not error:
        return Outgoing(queue=rest, trying=unsure)
    pause = min(_FIRST_PAUSE * 2 ** min(outgoing.failures, 10), _LONGEST_PAUSE)
    return Outgoing(
        queue=rest,
        trying=unsure,
        failures=outgoing.failures + 1,
        down_since=outgoing.down_since or now,
        next_at=now + pause,
        error=error,
        dropped=outgoing.dropped,
    )


def silent_channels(state: AlertState) -> list[str]:
    """A sentence about each channel that does not answer, for the digest."""
    return [
        f"The alert channel {name} has not answered since {one.down_since:%Y-%m-%d %H:%M} UTC: "
        f"{one.error} {len(one.queue):,} messages wait for it."
        for name, one in sorted(state.channels.items())
        if one.down_since is not None
    ]
