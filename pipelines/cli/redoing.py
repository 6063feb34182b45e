"""What was done with other settings, and what it would cost to do it again."""

from collections import Counter
from collections.abc import Mapping
from decimal import Decimal
from math import ceil

import click

from assets.inbox import Survey
from assets.made_with import Made
from assets.outdated import OLDER_AT_MOST, Outdated, options_now, outdated
from pipelines.billing.quotes import size_of
from pipelines.recordings import Recording
from pipelines.settings import Settings
from resources.gpu.model_choice import model_of
from resources.speeds import recent_speeds
from resources.storage.base import Storage

from .cost_table import clock
from .house import console
from .sizing import FLAC_BYTES_A_SECOND, Sized
from .weighing import Plan, open_setup, plan

_MODELS_NAMED = 3
PRICED_AT_MOST = 1_000  # each takes half a millisecond, and a hundred thousand would take a minute


def find_outdated(
    settings: Settings, storage: Storage, seen: Survey, *, all_of_them: bool
) -> Outdated:
    """Those of a survey; records of earlier versions are all opened only where somebody asks."""
    at_most = None if all_of_them else OLDER_AT_MOST
    return outdated(seen, settings, storage, at_most=at_most)


def tell_outdated(  # noqa: PLR0913  # what a sentence is made of
    others: Outdated,
    settings: Settings,
    storage: Storage,
    tenant: str | None,
    *,
    chosen: bool,
    quiet: bool,
) -> None:
    """How many there are and what redoing them costs, before it is begun or asked for."""
    if not others.recordings:
        if chosen:
            _say("Nothing was done with other settings.", quiet=quiet)
        return
    how = f"{_amount(others.recordings)}{_made_by(others.recordings, settings)}."
    price = price_of(others.recordings, settings, storage)
    if chosen:
        _say(f"{how} Redoing: {price}.", quiet=quiet)
        return
    of_tenant = f" --tenant {tenant}" if tenant else ""
    more = f" {others.unknown:,} older ones were not looked at." if others.unknown else ""
    again = f"`escriba run --outdated{of_tenant}`"
    _say(f"{how} Redoing them would cost {price}: {again}.{more}", quiet=quiet)


def price_of(recordings: Mapping[Recording, Made], settings: Settings, storage: Storage) -> str:
    """About how much, where and how long; by the router, the price book and measured speeds.

    Of many recordings some are priced, evenly chosen among their names; the rest by their length.
    """
    priced = dict(sorted(recordings.items())[:: ceil(len(recordings) / PRICED_AT_MOST) or 1])
    sized = [sized_again(one, made, settings) for one, made in priced.items()]
    times = Decimal(_length_ms(recordings)) / (_length_ms(priced) or 1)
    return price_told(planned(sized, settings, storage), max(times, Decimal(1)))


def planned(sized: list[Sized], settings: Settings, storage: Storage) -> Plan:
    """Where they would go now."""
    priority = settings.backend_selection_priority
    return plan(sized, open_setup(settings, recent_speeds(storage), priority), storage)


def price_told(made: Plan, times: Decimal = Decimal(1)) -> str:
    """In the middle of a sentence; `times`: how often the plan fits into what is priced."""
    cost = sum((one.cost_usd for one in made.routed), Decimal(0)) * times
    places = ", ".join(f"{one.backend}/{one.sku}" for one in made.routed) or "no backend"
    longest = max((one.wall_seconds for one in made.routed), default=0.0) * float(times)
    nobody = f"; {round(made.nobody * times):,} may go nowhere" if made.nobody else ""
    return f"about {cost:,.4f} USD on {places}, in {clock(longest)}{nobody}"


def sized_again(recording: Recording, made: Made, settings: Settings) -> Sized:
    """From what the survey knows; all of it is taken for speech where that was not kept."""
    options = options_now(recording, made, settings)
    separate = options.channels == "separate"
    size = size_of(
        options.job,
        audio_ms=made.audio_ms,
        speech_ms=made.audio_ms if made.speech_ms is None else made.speech_ms,
        audio_bytes=made.audio_bytes or made.audio_ms * FLAC_BYTES_A_SECOND // 1000,
        channels=made.source_channels if separate else 1,
    )
    return Sized(recording.name, recording.tenant, size, speech_known=made.speech_ms is not None)


def _length_ms(recordings: Mapping[Recording, Made]) -> int:
    return sum(made.audio_ms for made in recordings.values())


def _amount(recordings: Mapping[Recording, Made]) -> str:
    count = len(recordings)
    seconds = _length_ms(recordings) / 1000
    were = "recording was" if count == 1 else "recordings were"
    return f"{count:,} {were} done with other settings ({clock(seconds)} of audio)"


def _made_by(recordings: Mapping[Recording, Made], settings: Settings) -> str:
    """By which other models, where it is the model that differs."""
    now = model_of(settings)
    models = Counter(made.model for made in recordings.values() if made.model not in {"", now})
    named = [f"{count:,} by MODEL={model}" for model, count in models.most_common(_MODELS_NAMED)]
    return f": {', '.join(named)}; now it is {now}" if named else ""


def _say(text: str, *, quiet: bool) -> None:
    if quiet:
        click.echo(text, err=True)
    else:
        console().print(text)
