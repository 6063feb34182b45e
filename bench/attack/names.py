"""Evil names, through every medium and page that shows names."""

import csv
import io
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from email import message_from_bytes, policy
from functools import partial
from pathlib import Path
from typing import Final
from unicodedata import normalize

from api.files_html import listing
from api.files_listing import Listed, ListingPage
from assets.recordings.chain import _failure
from assets.recordings.events import named_value
from bench.attack.attacks import HELD, Attack, Verdict, expected
from escriba.reports.html.report_page import environment
from escriba.reports.sheets import Sheet, csv_text
from escriba.text_for.json_text import json_text
from escriba.text_for.markdown import markdown
from escriba.text_for.plain_lines import log_line, terminal, terminal_line
from escriba.text_for.visible import harmless_speech
from intake.night_digest import Digest, Failure, page
from resources.mail import text_mail
from tests.escriba.text_for.test_evil_names import (
    EVIL,
    PLAIN,
    TABLE,
    Seen,
    failed,
    hidden,
    holds,
    rendered,
)

NOW: Final = datetime(2026, 3, 1, tzinfo=UTC)
FORMULAS: Final = frozenset("=+-@\t\r")
ATTRIBUTES: Final = frozenset(
    {"lang", "charset", "name", "content", "href", "aria-label", "class", "datetime", "rel"}
)
NO_TEXT: Final = "\udc80"  # in no key of a bucket


def attacks(_folder: Path, *, quick: bool) -> Iterator[Attack]:
    """Each name through each medium; `quick` leaves none out."""
    del quick
    for medium, judge in MEDIA.items():
        for name in EVIL:
            yield Attack(f"{medium}: {name!a}", partial(judge, name))


def _in_markdown(name: str) -> Verdict:
    return _text_of(rendered(markdown(name)), name, PLAIN)


def _in_the_failure_table(name: str) -> Verdict:
    failure = _failure([failed(name)], {name: name}, 99)
    seen = rendered(failure.metadata["failed"].value)
    if seen.attributes or seen.tags.count("td") != 2 * 4:
        return Verdict(f"the table is another one: {seen.tags}")
    return _text_of(seen, name, TABLE)


def _in_the_digest(name: str) -> Verdict:
    failure = Failure(recording=name, message=name, advice=name, permanent=True)
    digest = Digest(
        night="2026-03-01", since=NOW, until=NOW, done=0, audio_seconds=0, spent_usd=Decimal(),
        wasted_usd=Decimal(), attempts=0, waiting=1, oldest_waiting=name,
        oldest_waiting_since=NOW, without_tables=name, failures=(failure,),
    )  # fmt: skip
    return _text_of(rendered(page(digest)), name, TABLE | PLAIN | {"h1"})


def _in_an_event(name: str) -> Verdict:
    value = named_value(name, f"{name}\n\n<img src=x>")
    return expected(
        it=type(value).__name__ == "TextMetadataValue" and not hidden(value.value), otherwise=value
    )


def _in_a_page(name: str) -> Verdict:
    template = environment().from_string('<p title="{{ name }}">{{ name }}</p>')
    seen = Seen(template.render(name=name))
    is_one = (seen.tags, len(seen.attributes)) == (["p"], 1)
    return expected(it=is_one and not hidden(seen.text, besides="\n"), otherwise=seen.text)


def _in_the_files_page(name: str) -> Verdict:
    if NO_TEXT in name:
        return HELD
    listed = Listed("acme", name, NOW, [f"transcripts/acme/{name}/transcript.txt"])
    seen = Seen(listing(ListingPage("transcripts/", (listed,)), ["acme"], [name + "/"]))
    wrong = {"img", "script", "svg"} & set(seen.tags) | {
        at for at, _ in seen.attributes
    } - ATTRIBUTES
    return expected(it=not wrong and not hidden(seen.text, besides="\n"), otherwise=wrong)


def _in_a_line(show: Callable[[str], str], name: str) -> Verdict:
    return expected(it=not hidden(show(name)), otherwise=show(name))


def _in_a_terminal(name: str) -> Verdict:
    return expected(it=not hidden(terminal(name), besides="\n"), otherwise=terminal(name))


def _in_speech(name: str) -> Verdict:
    shown = harmless_speech(name)
    return expected(it=not {"\x1b", "\x00", "\x9b", "\u202e"} & set(shown), otherwise=shown)


def _in_json(name: str) -> Verdict:
    text = json_text({name: name})
    return expected(it=json.loads(text) == {name: name} and not hidden(text), otherwise=text)


def _in_a_spreadsheet(name: str) -> Verdict:
    table = csv_text(Sheet("x", ["name", "usd"], [[name, Decimal("-1.50")]]))
    (cell, usd) = list(csv.reader(io.StringIO(table, newline="")))[1]
    obeyed = FORMULAS & set(normalize("NFKC", cell.lstrip())[:1])
    return expected(it=not obeyed and not hidden(cell) and usd == "-1.50", otherwise=cell)


def _in_a_mail(name: str) -> Verdict:
    mail = text_mail(name, name, "escriba@example.com", ["a@example.com"])
    read = message_from_bytes(bytes(mail), policy=policy.default)
    subject = str(read["Subject"])
    return expected(it=read.keys() == mail.keys() and not hidden(subject), otherwise=read.items())


def _text_of(seen: Seen, name: str, tags: set[str]) -> Verdict:
    """Held if a page has these tags alone, hides nothing and shows the name."""
    if set(seen.tags) - tags:
        return Verdict(f"has tags: {set(seen.tags) - tags}")
    return expected(
        it=not hidden(seen.text, besides="\n") and holds(seen.text, name), otherwise=seen.text
    )


MEDIA: Final[dict[str, Callable[[str], Verdict]]] = {
    "Markdown": _in_markdown,
    "table of failures": _in_the_failure_table,
    "digest": _in_the_digest,
    "event": _in_an_event,
    "HTML": _in_a_page,
    "page of files": _in_the_files_page,
    "terminal": _in_a_terminal,
    "line of a terminal": partial(_in_a_line, terminal_line),
    "log": partial(_in_a_line, log_line),
    "JSON": _in_json,
    "spreadsheet": _in_a_spreadsheet,
    "mail": _in_a_mail,
    "speech": _in_speech,
}
