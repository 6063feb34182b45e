"""The same evil names, through every medium in which people's names are shown."""

import csv
import io
import json
import logging
import re
import unicodedata
from datetime import UTC, datetime
from decimal import Decimal
from email import message_from_bytes, policy
from html.parser import HTMLParser

import pytest
from markdown_it import MarkdownIt
from rich.table import Table
from rich.text import Text

from api.files_html import listing
from api.files_listing import Listed, ListingPage
from assets.recordings.chain import _failure
from assets.recordings.events import named_value
from assets.recordings.progress import Failed, LogProgress, RecordingOutcome
from cli import cli_context
from escriba.billing.routing import Considered, Route, route_reasons
from escriba.recordings import Recording
from escriba.reports.html.report_page import environment
from escriba.reports.sheets import Sheet, csv_text
from escriba.text_for.json_text import json_text
from escriba.text_for.markdown import markdown
from escriba.text_for.plain_lines import log_line, mail_subject, terminal, terminal_line
from escriba.text_for.spreadsheet import csv_cell
from escriba.text_for.visible import harmless_speech, visible
from intake.night_digest import Digest, Failure, page
from resources.mail import text_mail

EVIL = [
    "acme/a|b|c.wav",
    "acme/x | y <img src=/graphql?query=mutation> |.wav",
    "<script>alert(1)</script>",
    '"><svg onload=alert(1)>',
    "'-alert(1)-'",
    "[click](https://evil.example/?q=1)",
    "![x](/graphql?query=mutation{terminateRuns})",
    "<https://evil.example>",
    "https://evil.example/login",
    "www.evil.example",
    "boss@evil.example",
    "mailto:boss@evil.example",
    "[red]rich[/red][link=https://evil.example]x[/link]",
    "**bold** _it_ ~~no~~ `code` ``two`` \\",
    "# heading",
    "- list",
    "1. list",
    "> quote",
    "---",
    "$x^2$",
    "&lt;b&gt; &amp; &#60;",
    "=cmd|' /C calc'!A0",
    "+1+1",
    "-2+3",
    "@SUM(1)",
    "＝1+1",
    " =1+1",
    "\t=1+1",
    "\r=1+1",
    "a\nb\r\nBcc: boss@evil.example\rc",
    "\x1b[2J\x1b]0;title\x07\x9b31m",
    "a\x00b\x08\x7f\x85",
    "evil\u202egpj.wav",
    "\u2066a\u2069\u200e\u200f\u061c",
    "zero\u200bwidth\u200d\ufeff\u2060\u00ad",
    "lines\u2028and\u2029",
    "tags\U000e0041\U000e007f",
    "fillers\u3164\u115f\u2800",
    "lone\udc80",
    "ação 録音 ❤️.mp3",
]
GOOD = ["acme/2026-01/council_meeting.mp3", "ação 録音 ❤️.mp3", "SPEAKER_00", "a (1).wav", "Q&A.mp3"]


def hidden(text, *, besides=""):
    """The characters of a text that nobody sees, or that a terminal obeys."""
    return [
        sign
        for sign in text
        if unicodedata.category(sign) in {"Cc", "Cf", "Cs", "Zl", "Zp"} and sign not in besides
    ]


def shown(name):
    """What a reader must see of a name, without blanks."""
    return re.sub(r"\s", "", visible(name))


class Seen(HTMLParser):
    """The tags, attributes and text of a page."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.attributes, self.text = [], [], ""
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data):
        self.text += data


def rendered(source):
    return Seen(
        MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).render(source)
    )


PLAIN = {"p", "code"}
TABLE = {"table", "thead", "tbody", "tr", "th", "td", "code"}


def holds(text, name):
    return shown(name) in re.sub(r"\s", "", text)


@pytest.mark.parametrize("name", GOOD)
def test_ordinary_names_are_not_changed(name):
    for medium in (visible, terminal, terminal_line, log_line, mail_subject, csv_cell, markdown):
        assert medium(name) == name
    assert Seen(environment().from_string("{{ name }}").render(name=name)).text == name


def test_markdown_is_itself_and_nothing_else():
    for name in EVIL:
        seen = rendered(markdown(name))
        assert set(seen.tags) <= PLAIN, name
        assert not hidden(seen.text, besides="\n"), name
        assert holds(seen.text, name), name
        # GitHub's Markdown links what looks like an address inside one run of text
        between = re.split(r"<code>.*?</code>", MarkdownIt().render(markdown(name)))
        assert not any(re.search(r"https?://|www\.\w|\w@\w", part) for part in between), name


def failed(name):
    problem = Failed("raw_audio", "x", f"{name} is bad", f"Rename {name}", permanent=True)
    return RecordingOutcome(Recording("acme", name), (), problem)


def test_the_table_of_the_failed_has_a_row_and_four_cells_for_each():
    failure = _failure([failed(name) for name in EVIL], {name: name for name in EVIL}, 99)
    seen = rendered(failure.metadata["failed"].value)

    assert set(seen.tags) == TABLE
    assert seen.tags.count("tr") == 1 + 2 * len(EVIL)
    assert seen.tags.count("td") == 4 * 2 * len(EVIL)
    assert not seen.attributes
    assert not hidden(seen.text, besides="\n")
    assert all(holds(seen.text, name) for name in EVIL)


def test_the_digest_and_the_reasons_of_a_route_hold_their_form():
    now = datetime(2026, 3, 1, tzinfo=UTC)
    digest = Digest(
        night="2026-03-01", since=now, until=now, done=0, audio_seconds=0, spent_usd=Decimal(),
        wasted_usd=Decimal(), attempts=0, waiting=1, oldest_waiting=EVIL[1],
        oldest_waiting_since=now, without_tables=EVIL[2],
        failures=tuple(
            Failure(recording=n, message=n, advice=n, permanent=True) for n in EVIL
        ),
    )  # fmt: skip
    seen = rendered(page(digest))
    assert set(seen.tags) <= TABLE | PLAIN | {"h1"}
    assert seen.tags.count("td") == 3 * len(EVIL)

    considered = [
        Considered.model_construct(
            backend="local", sku="x", cost_usd=Decimal(), ceiling_usd=Decimal(),
            latency_seconds=1.0, basis=name, excluded=name,
        )
        for name in EVIL
    ]  # fmt: skip
    route = Route.model_construct(reason=EVIL[1], considered=tuple(considered))
    seen = rendered(route_reasons(route))
    assert set(seen.tags) <= TABLE | PLAIN
    assert seen.tags.count("td") == 6 * len(EVIL)


def test_no_other_value_of_an_event_is_markdown_or_a_link():
    for name in EVIL:
        for key in ("language", "container", "model", name):
            value = named_value(key, f"{name}\n\n<img src=x>")
            assert type(value).__name__ == "TextMetadataValue"
            assert not hidden(value.value)


def test_pages_have_no_tag_and_no_attribute_of_a_name():
    template = environment().from_string('<p title="{{ name }}">{{ name }}</p>')
    now = datetime(2026, 3, 1, tzinfo=UTC)
    for name in EVIL:
        seen = Seen(template.render(name=name))
        assert (seen.tags, len(seen.attributes)) == (["p"], 1), name
        assert not hidden(seen.text, besides="\n"), name
        one = Listed("acme", name, now, [f"transcripts/acme/{name}/transcript.txt"])
        name.encode(errors="surrogatepass")
        if "\udc80" in name:
            continue  # no key of a bucket
        seen = Seen(listing(ListingPage("transcripts/", (one,)), ["acme"], [name + "/"]))
        assert not {"img", "script", "svg"} & set(seen.tags), name
        assert {at for at, _ in seen.attributes} <= {
            "lang", "charset", "name", "content", "href", "aria-label", "class", "datetime", "rel",
        }, name  # fmt: skip
        assert not hidden(seen.text, besides="\n"), name


def test_no_terminal_obeys_a_name(capfd):
    table = Table("name")
    for name in EVIL:
        table.add_row(name)
        table.add_row(Text(name))
    out = cli_context.console()
    out.print(table)
    for name in EVIL:
        out.print(name)
        cli_context.say(name)
        cli_context.print_json({name: name})
    said = "".join(capfd.readouterr())

    assert not hidden(said, besides="\n")
    assert "[red]rich[/red]" in said  # literally
    assert "‹U+001B›" in said


def test_json_is_readable_and_reads_back_the_same():
    for name in EVIL:
        assert json.loads(json_text({name: name})) == {name: name}
        assert not hidden(json_text(name))
    assert json_text("ação") == '"ação"'


def test_a_log_line_stays_one_line(caplog):
    for name in EVIL:
        with caplog.at_level(logging.INFO):
            LogProgress(logging.getLogger("escriba")).finished(failed(name))
        assert not hidden(caplog.messages[-1]), name


def test_a_spreadsheet_computes_nothing_and_numbers_stay_numbers():
    rows = [[name, Decimal("-1.50"), -2, -0.5, None] for name in EVIL]
    table = csv_text(Sheet("x", ["=1+1", "usd", "n", "f", "empty"], rows))
    read = list(csv.reader(io.StringIO(table, newline="")))

    assert read[0][0] == "'=1+1"
    for number in ("-12.50", "+1,234.5", "-3%", "-1"):
        assert csv_cell(number) == number
    for formula in ("-1+2", "-", "+1-1", "-12.50a", "=1"):
        assert csv_cell(formula) == f"'{formula}"
    assert [row[1:] for row in read[1:]] == [["-1.50", "-2", "-0.5", ""]] * len(EVIL)
    for cell, *_ in read[1:]:
        start = unicodedata.normalize("NFKC", cell.lstrip())[:1]
        assert start not in {"=", "+", "-", "@", "\t", "\r"}, cell
        assert not hidden(cell), cell


def test_a_subject_is_one_header():
    for name in EVIL:
        mail = text_mail(name, name, "escriba@example.com", ["a@example.com"])
        read = message_from_bytes(bytes(mail), policy=policy.default)
        assert read.keys() == mail.keys(), name
        assert read["Bcc"] is None
        assert not hidden(str(read["Subject"])), name
    assert len(mail_subject("x" * 5_000)) == 250


def test_speech_keeps_what_belongs_to_its_spelling():
    persian = "می‌خواهم"  # with the joiner that Persian needs
    assert harmless_speech(persian) == persian
    assert harmless_speech("\x1b[2J\u202e") == "‹U+001B›[2J‹U+202E›"
