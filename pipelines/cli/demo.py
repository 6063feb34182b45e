"""`escriba demo`: three recordings, a fresh bucket, and everything that comes of them."""

import shutil
import sys
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from assets.diarized_transcript import DIARIZED_FILE
from assets.inbox import survey
from pipelines.billing.prices import PriceBook
from pipelines.price_book import open_price_book
from pipelines.recordings import Recording
from pipelines.settings import HOUSE
from pipelines.speech.clock import text_time
from pipelines.speech.diarized import DiarizedTranscript, loads
from resources.ledger import open_ledger
from resources.storage.base import Storage

from .cost_table import clock, new_table
from .costs import costs_json, price_rows, query_costs
from .demo_folder import fresh_folder
from .house import console, json_option, open_house, print_json
from .run import print_summary, summary
from .running import run_recordings
from .up import keep_up

_RECORDINGS = HOUSE / "demo" / "recordings"
_MEDIA = {".mp3", ".mp4", ".m4a"}
_LINES = 5  # of each transcript


@click.command()
@click.option(
    "--folder",
    type=click.Path(path_type=Path, file_okay=False),
    help="Where the demo's bucket is made; an older demo there is removed. "
    "Default: escriba-demo, or escriba-demo-costs.",
)
@click.option("--costs", is_flag=True, help="Instead: 90 days of a made-up fleet and its costs.")
@click.option("--ui", is_flag=True, help="Then open Dagster's UI on the demo, until Ctrl-C.")
@click.option("--port", default=3000, show_default=True, help="Of the UI.")
@json_option
def command(folder: Path | None, port: int, *, costs: bool, ui: bool, as_json: bool) -> None:
    """See it all work: recordings of three formats become transcripts with speakers, and a bill.

    The speech model of the demo knows some 200 words of two toy languages, and marks each
    transcript as a toy's. `escriba run` takes a real one.
    """
    if costs:
        if ui:
            raise click.UsageError("--costs has no --ui: `escriba report` shows it.")
        from .demo_costs import show_costs

        show_costs(folder or Path("escriba-demo-costs"), as_json=as_json)
        return
    folder = folder or Path("escriba-demo")
    out = console()
    bucket = _fresh(folder)
    settings, storage = open_house(
        storage_url=bucket.as_uri(),
        dagster_home=folder.absolute() / "dagster",
        default_language="auto",
        model="demo",
        diarizer="light",
        languages="",
        previews=True,
    )
    if not as_json:
        out.print(f"Escriba's demo, in {folder}/. Its model is a toy that knows some 200 words.")
    seen = survey(storage)
    ran = run_recordings(settings, seen.work, out, quiet=as_json)
    prices = open_price_book(settings)
    with open_ledger(storage, tables=["attempts"]) as ledger:
        rows = query_costs(ledger, "recording")
    price_rows(prices, rows, diarized=True)
    if as_json:
        told = costs_json(rows, "recording")["rows"]
        print_json(summary(ran, seen) | {"bucket": storage.url, "costs": told})
    else:
        print_summary(out, ran, seen, storage.url)
        _show(out, storage, seen.work)
        out.print(_table(storage, seen.work, rows))
        _explain_prices(out, prices)
        _say_next(out, folder)
    if ui and not ran.exit_status:
        keep_up(settings, storage.url, "127.0.0.1", port, read_only=False)
    sys.exit(ran.exit_status)


def _fresh(folder: Path) -> Path:
    """A bucket with the recordings in its inbox."""
    bucket = fresh_folder(folder) / "bucket"
    inbox = bucket / "inbox" / "demo"
    inbox.mkdir(parents=True)
    for media in sorted(_RECORDINGS.iterdir()):
        if media.suffix in _MEDIA:
            shutil.copyfile(media, inbox / media.name)
    (folder / ".env").write_text(
        f"STORAGE_URL={bucket.as_uri()}\nDAGSTER_HOME={folder.absolute() / 'dagster'}\n"
        "DEFAULT_LANGUAGE=auto\nMODEL=demo\n"
    )
    return bucket


def _transcript(storage: Storage, recording: Recording) -> DiarizedTranscript | None:
    body = storage.read(recording.transcript_key(DIARIZED_FILE))
    return loads(body) if body else None


def _show(out: Console, storage: Storage, recordings: list[Recording]) -> None:
    for recording in recordings:
        transcript = _transcript(storage, recording)
        if transcript is None:
            continue
        out.print(Text(f"\n{recording.path}", style="bold"))
        for segment in transcript.segments[:_LINES]:
            line = f"  {text_time(segment.start_ms)}  {segment.speaker}  {segment.text}"
            out.print(line)
        left = len(transcript.segments) - _LINES
        if left > 0:
            out.print(f"  … and {left} more lines")
    out.print()


def _table(storage: Storage, recordings: list[Recording], rows: list[dict[str, object]]) -> Table:
    by_name = {row["name"]: row for row in rows}
    table = new_table("What each cost")
    table.add_column("recording", overflow="fold")
    headings = ("audio", "in", "speakers", "words", "run", "RTF", "USD here")
    for heading in (*headings, "USD on a\nRunPod L4"):
        table.add_column(heading, justify="right", no_wrap=True)
    for recording in recordings:
        transcript, row = _transcript(storage, recording), by_name.get(recording.name)
        if transcript is not None and row is not None:
            table.add_row(*_cells(recording, transcript, row))
    return table


def _cells(
    recording: Recording, transcript: DiarizedTranscript, row: dict[str, object]
) -> list[str]:
    return [
        recording.path,
        clock(transcript.audio_ms / 1000),
        transcript.language,
        str(len(transcript.speakers)),
        str(sum(len(segment.words) for segment in transcript.segments)),
        f"{row['run_seconds']:.1f} s",
        f"{row['rtf']:.3f}",
        f"{row['cost_usd']:.6f}",
        "" if row["usd_on_runpod_l4"] is None else f"{row['usd_on_runpod_l4']:.4f}",
    ]


def _explain_prices(out: Console, prices: PriceBook) -> None:
    here = next((p for p in prices.prices if p.backend == "local"), None)
    there = next((p for p in prices.prices if p.name == "runpod/l4"), None)
    if here is None or there is None:  # a price book of one's own
        return
    out.print(
        f"This machine is priced at {here.usd_per_hour:f} USD/h, an assumption; a RunPod L4 at "
        f"{there.usd_per_hour:.3f} USD/h with a planned RTF of 0.3 and a real model.\n"
        "Both stand in dbt_costs/seeds/price_book.csv."
    )


def _say_next(out: Console, folder: Path) -> None:
    escriba = Path(sys.argv[0]).absolute()
    out.print(Text("\nWhere things lie", style="bold"))
    out.print(f"""\
  transcripts  {folder}/bucket/transcripts/demo/  (JSON, TXT, SRT, VTT, TSV, CSV, DOCX, RTTM)
  ledger       {folder}/bucket/ledger/attempts/   (Parquet)
""")
    out.print(Text("Next", style="bold"))
    out.print(f"""\
  (cd {folder} && {escriba} show english-3-voices.mp4 --format srt)
  (cd {folder} && {escriba} costs --by tenant)
Your own recordings go to ./data, and get a real model, which comes from the hub once:
  {escriba} add YOUR-RECORDING.mp3 --tenant me
  {escriba} run""")
