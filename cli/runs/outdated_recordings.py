"""Reports recordings done with other settings, and what redoing them would cost."""

from collections import Counter
from collections.abc import Mapping, Sequence
from decimal import Decimal
from math import ceil

from cli.cli_context import console, say
from cli.cost_tables.cost_table import clock
from cli.estimates.estimate_plan import EstimatePlan, open_setup, plan
from cli.estimates.recording_sizes import FLAC_BYTES_A_SECOND, SizedRecording
from escriba.billing.quotes import size_of
from escriba.recordings import Recording
from escriba.settings import Settings
from intake.inbox import Survey
from intake.made_with import Made, words_made_with
from intake.outdated import OLDER_AT_MOST, OutdatedRecordings, options_now, outdated
from resources.gpu.model_choice import model_of
from resources.ledger.recent_speeds import recent_speeds
from resources.storage.base import Storage

_MODELS_NAMED = 3
PRICED_AT_MOST = 1_000  # each takes 0.5 ms, so a hundred thousand would take a minute


def find_outdated(
    settings: Settings, storage: Storage, seen: Survey, *, all_of_them: bool
) -> OutdatedRecordings:
    """Return the outdated recordings of a survey.

    all_of_them: open every record of earlier versions, not only OLDER_AT_MOST of them.
    """
    at_most = None if all_of_them else OLDER_AT_MOST
    return outdated(seen, settings, storage, at_most=at_most)


def report_outdated(  # noqa: PLR0913  # what the sentence depends on
    others: OutdatedRecordings,
    settings: Settings,
    storage: Storage,
    tenant: str | None,
    *,
    chosen: bool,
    quiet: bool,
) -> None:
    """Print how many there are and what redoing them costs; chosen: they are redone now."""
    if not others.recordings:
        if chosen:
            _say("No recording was done with other settings.", quiet=quiet)
        return
    how = f"{_amount(others.recordings)}{_made_by(others.recordings, settings)}."
    price = price_of(others.recordings, settings, storage)
    if chosen:
        _say(f"{how} Redoing: {price}.", quiet=quiet)
        return
    of_tenant = f" --tenant {tenant}" if tenant else ""
    more = f" {others.unknown:,} older ones were not checked." if others.unknown else ""
    command = f"`escriba run --outdated{of_tenant}`"
    _say(f"{how} Redoing them would cost {price}: {command}.{more}", quiet=quiet)


def report_outdated_files(recordings: Sequence[Recording], *, quiet: bool) -> None:
    """Print how many recordings get their output files written again."""
    if recordings:
        count = len(recordings)
        have = "1 recording has" if count == 1 else f"{count:,} recordings have"
        again = "Writing them again, without a new transcript."
        _say(f"{have} output files from other settings. {again}", quiet=quiet)


def price_of(recordings: Mapping[Recording, Made], settings: Settings, storage: Storage) -> str:
    """Return the approximate cost, backend and duration, for the middle of a sentence.

    Uses the router, the price book and measured speeds. Prices at most PRICED_AT_MOST recordings,
    evenly sampled by name, and extrapolates by length.
    """
    priced = dict(sorted(recordings.items())[:: ceil(len(recordings) / PRICED_AT_MOST) or 1])
    sized = [size_of_done(one, made, settings) for one, made in priced.items()]
    factor = Decimal(_length_ms(recordings)) / (_length_ms(priced) or 1)
    return price_text(plan_now(sized, settings, storage), max(factor, Decimal(1)))


def plan_now(sized: list[SizedRecording], settings: Settings, storage: Storage) -> EstimatePlan:
    """Return where the recordings would go now, and the cost."""
    priority = settings.backend_selection_priority
    return plan(sized, open_setup(settings, recent_speeds(storage), priority), storage)


def price_text(estimated: EstimatePlan, factor: Decimal = Decimal(1)) -> str:
    """Return the plan's cost as text; factor: all recordings relative to those in the plan."""
    cost = sum((one.cost_usd for one in estimated.routed), Decimal(0)) * factor
    places = ", ".join(f"{one.backend}/{one.sku}" for one in estimated.routed) or "no backend"
    longest = max((one.wall_seconds for one in estimated.routed), default=0.0) * float(factor)
    count = round(estimated.unroutable * factor)
    unroutable = f"; no backend is permitted for {count:,}" if estimated.unroutable else ""
    return f"about {cost:,.4f} USD on {places}, in {clock(longest)}{unroutable}"


def size_of_done(recording: Recording, made: Made, settings: Settings) -> SizedRecording:
    """Return the size from the survey; all audio counts as speech if speech was not recorded."""
    options = options_now(recording, made, settings)
    separate = options.channels == "separate"
    size = size_of(
        options.job,
        audio_ms=made.audio_ms,
        speech_ms=made.audio_ms if made.speech_ms is None else made.speech_ms,
        audio_bytes=made.audio_bytes or made.audio_ms * FLAC_BYTES_A_SECOND // 1000,
        channels=made.source_channels if separate else 1,
    )
    words = words_made_with(options.job, made.source_channels, made.audio_streams)
    return SizedRecording(
        recording.name,
        recording.tenant,
        size,
        speech_known=made.speech_ms is not None,
        has_words=made.words_with == words,
    )


def _length_ms(recordings: Mapping[Recording, Made]) -> int:
    return sum(made.audio_ms for made in recordings.values())


def _amount(recordings: Mapping[Recording, Made]) -> str:
    count = len(recordings)
    seconds = _length_ms(recordings) / 1000
    were = "recording was" if count == 1 else "recordings were"
    return f"{count:,} {were} done with other settings ({clock(seconds)} of audio)"


def _made_by(recordings: Mapping[Recording, Made], settings: Settings) -> str:
    """Return which other models were used, if the model differs."""
    now = model_of(settings)
    models = Counter(made.model for made in recordings.values() if made.model not in {"", now})
    named = [f"{count:,} by MODEL={model}" for model, count in models.most_common(_MODELS_NAMED)]
    return f": {', '.join(named)}; the current model is {now}" if named else ""


def _say(text: str, *, quiet: bool) -> None:
    if quiet:
        say(text)
    else:
        console().print(text)
