"""`escriba demo`: three recordings in a new bucket, their transcripts and costs."""

import shutil
import sys
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from cli.cli_context import console, json_option, open_context, print_json
from cli.cost_tables.cost_rows import costs_json, price_rows, query_costs
from cli.cost_tables.cost_table import clock, new_table
from cli.demo.demo_folder import fresh_folder
from cli.runs.run_recordings import RunResult, run_recordings
from escriba.backend_names import LOCAL
from escriba.billing.price_book import PriceBook
from escriba.recordings import Recording
from escriba.settings import HOUSE, Settings
from escriba.transcripts.diarized import DiarizedTranscript, loads
from escriba.transcripts.render_options import DIARIZED_FILE
from escriba.transcripts.timestamps import text_time
from intake.inbox import survey_inbox
from resources.ledger.queries import open_ledger
from resources.price_book import open_price_book
from resources.storage.base import Storage

from .run import print_summary, summary
from .up import serve

_RECORDINGS = HOUSE / "demo" / "recordings"
_MEDIA = {".mp3", ".mp4", ".m4a"}
_LINES = 5  # of each transcript


@click.command()
@click.option(
    "--folder",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder of the demo; an earlier demo there is removed. "
    "Default: escriba-demo, or escriba-demo-costs.",
)
@click.option("--costs", is_flag=True, help="Simulate 90 days of a GPU fleet and its costs.")
@click.option("--ui", is_flag=True, help="Then start Dagster's UI on the demo, until Ctrl-C.")
@click.option("--port", default=3000, show_default=True, help="Port of the UI.")
@json_option
def command(folder: Path | None, port: int, *, costs: bool, ui: bool, as_json: bool) -> None:
    """Transcribe three sample recordings, with speakers, and show what they cost.

    The demo's toy speech model knows about 200 words of two languages, and each transcript says
    that it comes from a toy. `escriba run` uses a real model.
    """
    if costs:
        if ui:
            raise click.UsageError("--ui does not work with --costs. Use `escriba report`.")
        from cli.demo.demo_costs import show_costs

        show_costs(folder or Path("escriba-demo-costs"), as_json=as_json)
        return
    folder = folder or Path("escriba-demo")
    settings, storage = _open(folder)
    if as_json:
        ran = _run_as_json(settings, storage)
    else:
        ran = _run_with_output(settings, storage, folder)
    if ui and not ran.exit_status:
        serve(settings, storage.url, "127.0.0.1", port, read_only=False)
    sys.exit(ran.exit_status)


def _open(folder: Path) -> tuple[Settings, Storage]:
    bucket = _fresh(folder)
    return open_context(
        storage_url=bucket.as_uri(),
        dagster_home=folder.absolute() / "dagster",
        default_language="auto",
        model="demo",
        diarizer="light",
        languages="",
        previews=True,
    )


def _run_as_json(settings: Settings, storage: Storage) -> RunResult:
    seen = survey_inbox(storage)
    ran = run_recordings(settings, seen.work, console(), quiet=True)
    costs = costs_json(_costs(storage, open_price_book(settings)), "recording")["rows"]
    print_json(summary(ran, seen) | {"bucket": storage.url, "costs": costs})
    return ran


def _run_with_output(settings: Settings, storage: Storage, folder: Path) -> RunResult:
    out = console()
    out.print(f"Escriba's demo in {folder}/. Its model is a toy that knows about 200 words.")
    seen = survey_inbox(storage)
    ran = run_recordings(settings, seen.work, out)
    prices = open_price_book(settings)
    print_summary(out, ran, seen, storage.url)
    _show(out, storage, seen.work)
    out.print(_table(storage, seen.work, _costs(storage, prices)))
    _explain_prices(out, prices)
    _print_next_steps(out, folder)
    return ran


def _costs(storage: Storage, prices: PriceBook) -> list[dict[str, Any]]:
    """Return a row for each recording, with its price on a RunPod L4."""
    with open_ledger(storage, tables=["attempts"]) as ledger:
        rows = query_costs(ledger, "recording")
    price_rows(prices, rows, diarized=True)
    return rows


def _fresh(folder: Path) -> Path:
    """Create a bucket with the sample recordings in its inbox; return its folder."""
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
    table = new_table("Cost of each recording")
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
    here = next((p for p in prices.prices if p.backend == LOCAL), None)
    there = next((p for p in prices.prices if p.name == "runpod/l4"), None)
    if here is None or there is None:  # a custom price book
        return
    out.print(
        f"Prices: {here.usd_per_hour:f} USD/h for this machine (an assumption), and "
        f"{there.usd_per_hour:.3f} USD/h for a RunPod L4\n(with a planned RTF of 0.3 and a real "
        "model). Both are in dbt_costs/seeds/price_book.csv."
    )


def _print_next_steps(out: Console, folder: Path) -> None:
    escriba = Path(sys.argv[0]).absolute()
    out.print(Text("\nFiles", style="bold"))
    out.print(f"""\
  transcripts  {folder}/bucket/transcripts/demo/  (JSON, TXT, SRT, VTT, TSV, CSV, DOCX, RTTM)
  ledger       {folder}/bucket/ledger/attempts/   (Parquet)
""")
    out.print(Text("Next", style="bold"))
    out.print(f"""\
  (cd {folder} && {escriba} show english-3-voices.mp4 --format srt)
  (cd {folder} && {escriba} costs --by tenant)
To transcribe your own recordings into ./data with a real model (downloaded once from the hub):
  {escriba} add YOUR-RECORDING.mp3 --tenant me
  {escriba} run""")
