"""The backends side by side: the tables of docs/backends/comparison.md, from the price book.

    python -m bench.comparison           prints the tables
    python -m bench.comparison --write   writes them into the page

Costs are those of `escriba estimate` before anything is measured: the newest prices, and
the planned speeds of escriba/billing/measured_speeds.py.
"""

import argparse
import dataclasses
import sys
from dataclasses import dataclass
from decimal import Decimal

from escriba.billing.estimates import planned_candidate
from escriba.billing.price_book import Price, read_price_book
from escriba.billing.quotes import JobSize, Speed
from escriba.settings import HOUSE

SEEDS = HOUSE / "dbt_costs" / "seeds"
PAGE = HOUSE / "docs" / "backends" / "comparison.md"
BEGIN, END = "<!-- bench.comparison -->", "<!-- end of bench.comparison -->"
BACKENDS = ("local", "runpod", "aws_gpu", "gcp_gpu", "openai", "pyannote_ai")
AGAINST = ("whisper-1", "gpt-transcribe")  # of openai: what a machine has to beat
HOUR = JobSize(
    audio_ms=3_600_000, speech_ms=3_600_000, audio_bytes=0, model="", language=None, diarized=False
)


@dataclass(frozen=True)
class Row:
    """One line of the price book. usd: for an hour of audio. start_usd: until the first job runs.

    usd is None where there are no words, with_speakers_usd where there are no speakers.
    """

    backend: str
    sku: str
    usd: Decimal | None
    with_speakers_usd: Decimal | None
    start_seconds: float
    start_usd: Decimal

    @property
    def is_machine(self) -> bool:
        """Whether time is paid, not audio."""
        return self.backend not in {"openai", "pyannote_ai"}

    def even_minutes(self, api_usd: Decimal) -> Decimal | None:
        """Minutes of audio from which a start of this machine costs less than the API; or never."""
        saved = api_usd - (self.usd or 0)
        return self.start_usd / saved * 60 if saved > 0 else None


def rows() -> list[Row]:
    """Every sku of the six backends at its newest price, in the order of the backends."""
    book = read_price_book(SEEDS / "price_book.csv", SEEDS / "exchange_rates.csv")
    newest: dict[tuple[str, str], Price] = {}
    for price in sorted(book.prices, key=lambda one: one.valid_from):
        newest[price.backend, price.sku] = price
    order = {name: place for place, name in enumerate(BACKENDS)}
    found = [price for price in newest.values() if price.backend in order]
    return [_row(price) for price in sorted(found, key=lambda one: (order[one.backend], one.sku))]


def _row(price: Price) -> Row:
    where = planned_candidate(price, 1)

    def usd(job: JobSize, speed: Speed) -> Decimal:
        return where.quote(job, price, speed).cost_usd

    speaking = dataclasses.replace(HOUR, diarized=True)
    words, both = (
        dataclasses.replace(where.speed(job), start_seconds=0) for job in (HOUR, speaking)
    )
    start = where.speed(HOUR).start_seconds
    nothing = dataclasses.replace(HOUR, audio_ms=0, speech_ms=0)
    cost = usd(HOUR, words)
    if price.unit == "audio_minute":
        finds_speakers = price.backend == "pyannote_ai"
        writes_words = not finds_speakers or price.sku.endswith("-transcription")
        return Row(
            price.backend,
            price.sku,
            cost if writes_words else None,
            cost if finds_speakers else None,
            0.0,
            Decimal(0),
        )
    start_usd = usd(nothing, Speed(0.0, start, ""))
    return Row(price.backend, price.sku, cost, usd(speaking, both), start, start_usd)


def tables(found: list[Row]) -> str:
    """Both tables in Markdown: what an hour costs, and from where on a machine pays."""
    apis = {one.sku: one.usd for one in found if one.sku in AGAINST and one.usd is not None}
    lines = [
        "| backend | machine or model | USD per audio hour: words | with speakers | start |",
        "| --- | --- | --- | --- | --- |",
    ]
    for one in found:
        start = f"{one.start_seconds:.0f} s, {one.start_usd:.4f} USD" if one.is_machine else "none"
        costs = f"{_usd(one.usd)} | {_usd(one.with_speakers_usd)}"
        lines.append(f"| `{one.backend}` | {one.sku} | {costs} | {start} |")
    lines += ["", _head(apis), "| --- |" + " --- |" * len(apis)]
    for one in found:
        if one.is_machine and one.backend != "local":
            cells = [_minutes(one.even_minutes(usd)) for usd in apis.values()]
            lines.append(f"| `{one.backend}` {one.sku} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _usd(amount: Decimal | None) -> str:
    return "no" if amount is None else f"{amount:.3f}"


def _head(apis: dict[str, Decimal]) -> str:
    named = (f"than {name} ({usd:.2f} USD per hour)" for name, usd in apis.items())
    return f"| a machine costs less | {' | '.join(named)} |"


def _minutes(minutes: Decimal | None) -> str:
    return "never" if minutes is None else f"from {minutes:.1f} min of audio per start"


def written(page: str, made: str) -> str:
    """The page with these tables.

    Raises:
        ValueError: the page lacks the marks between which they stand.
    """
    before, found, rest = page.partition(BEGIN)
    _, ended, after = rest.partition(END)
    if not (found and ended):
        raise ValueError(f"{PAGE} needs the lines {BEGIN} and {END}.")
    return f"{before}{BEGIN}\n{made}\n{END}{after}"


def main() -> None:
    """Print the tables, or write them into the page."""
    parser = argparse.ArgumentParser(prog="python -m bench.comparison", description=__doc__)
    parser.add_argument("--write", action="store_true", help=f"write them into {PAGE.name}")
    made = tables(rows())
    if parser.parse_args().write:
        PAGE.write_text(written(PAGE.read_text("utf-8"), made), encoding="utf-8")
    else:
        sys.stdout.write(made + "\n")


if __name__ == "__main__":
    main()
