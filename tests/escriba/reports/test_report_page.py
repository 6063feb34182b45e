"""The page as people open it: in a real browser, by day and night, on a desk and a phone."""

import json
import re
import shutil
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from html.parser import HTMLParser

import pytest
from playwright.sync_api import sync_playwright

from escriba.reports import figures as rows
from escriba.reports.charts.palette import DAY, NIGHT
from escriba.reports.figures import Figures
from escriba.reports.html.report_page import make_report
from escriba.reports.periods import last_days

TODAY = date(2026, 3, 31)
MADE_AT = datetime(2026, 3, 31, 12, tzinfo=UTC)
NASTY = "acme/</script><script>alert(1)</script><img src=//evil.example/x onerror=alert(2)>.mp3"
CHROMIUM = shutil.which("chromium")
FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run")
SIZES = {"desk": (1280, 900), "phone": (390, 844)}

usd = Decimal


def fleet(days):
    """Three backends, two tenants, and a day that is out of the way."""
    spend, speeds, waste = [], [], []
    for n in range(-days, days):
        day = TODAY - timedelta(days=days - n)
        for backend, sku, cost in (("runpod", "l4", 8), ("aws_gpu", "g5.xlarge", 3)):
            more = 9 if n == days - 5 else 1
            spend.append(rows.Spend(day, "acme", backend, "run", usd(cost * more)))
            spend.append(rows.Spend(day, "<b>beta</b>", backend, "idle", usd("0.5")))
            speeds.append(rows.SpeedFigure(day, backend, sku, 20, 19, 1, 60.0, 0.1, 0.14))
            waste.append(rows.Waste(day, backend, "idle", usd("0.5"), 0))
        spend.append(rows.Spend(day, "acme", "openai", "run", usd(4)))
        speeds.append(rows.SpeedFigure(day, "openai", "whisper-1", 9, 9, 0, 11.0, 0.02, 0.03))
    return tuple(spend), tuple(speeds), tuple(waste)


def made_figures(days=30, **changes):
    spend, speeds, waste = fleet(days)
    options = tuple(
        rows.BackendOption(backend, sku, unit, hours, 0.1, 50, usd(cost), can_do_it=hours < 200)
        for hours in (1, 24, 96, 240)
        for backend, sku, unit, cost in (
            ("runpod", "l4", "gpu_second", f"{hours * 0.07:.4f}"),
            ("aws_gpu", "g5.xlarge", "machine_hour", "11.28"),
            ("openai", "whisper-1", "audio_minute", f"{hours * 0.36:.4f}"),
        )
    )
    month = date(2026, 3, 1)
    burn = rows.BudgetUse("all", month, *map(usd, (500, 520, 505, 540, 50, 510)), "warn")
    odd = TODAY - timedelta(days=5)
    usual = {
        "spend": spend,
        "speed": speeds,
        "waste": waste,
        "options": options,
        "burn": (burn,),
        "recordings": (
            rows.RecordingCost(
                "acme", NASTY, 2, 7_384.0, *map(usd, ("0.4", "0.1", "0.01", "0.51", "0.2"))
            ),
        ),
        "anomalies": (rows.Anomaly("all", odd, usd(104), usd(16)),),
        "bills": (rows.BillTotal("runpod", 29, usd(250), usd(12), (odd,)),),
        "waiting": (rows.Waiting("runpod", "l4", 60.0, 20.0, usd("3.6"), 100, (2.0, 50.0)),),
        "price_changes": (rows.PriceChange(odd, "runpod", "l4", usd("0.82"), usd("0.684")),),
    }
    first = TODAY - timedelta(days=2 * days)
    return Figures(last_days(days, TODAY), first, **(usual | changes))


@pytest.fixture(scope="module")
def report():
    return make_report(made_figures(), MADE_AT)


@pytest.fixture(scope="module")
def place(report, tmp_path_factory):
    path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_text(report.html, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def chromium():
    if CHROMIUM is None:
        pytest.skip("needs Debian's chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def window(chromium, place):
    """Opens the page; what it said and asked for is kept beside it."""
    contexts = []

    def open_window(size="desk", scheme="light", path=place, count=6):
        width, height = SIZES[size]
        context = chromium.new_context(
            viewport={"width": width, "height": height}, color_scheme=scheme
        )
        contexts.append(context)
        page = context.new_page()
        page.said, page.asked = [], []
        page.on("console", lambda message: page.said.append(message.text))
        page.on("pageerror", lambda error: page.said.append(str(error)))
        page.on("dialog", lambda dialog: page.said.append(dialog.message))
        page.on("request", lambda request: page.asked.append(request.url))
        page.goto(path.as_uri())
        page.wait_for_function(f"document.querySelectorAll('.chart svg').length === {count}")
        return page

    yield open_window
    for context in contexts:
        context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
def test_it_fits_says_nothing_wrong_and_asks_nobody(window, place, size, scheme):
    page = window(size, scheme)

    assert page.evaluate("document.documentElement.scrollWidth") == SIZES[size][0]
    inside = (
        "[...document.querySelectorAll('.chart svg')].map(e => e.getBoundingClientRect().right)"
    )
    assert max(page.evaluate(inside)) <= SIZES[size][0]
    wide = "[...document.querySelectorAll('.scroll')].filter(e => e.scrollWidth > e.clientWidth)"
    assert page.evaluate(f"{wide}.length") == 0
    assert page.said == []
    # an icon of its own, lest the browser ask for one
    assert [url for url in page.asked if not url.startswith("data:")] == [place.as_uri()]


def test_the_pictures_take_the_colours_of_day_of_night_and_of_paper(window):
    read = """() => {
        const text = document.querySelector('#c-spend .role-axis-label text');
        return [getComputedStyle(document.body).backgroundColor, getComputedStyle(text).fill];
    }"""

    def rgb(colour):
        return f"rgb({', '.join(str(int(colour[i : i + 2], 16)) for i in (1, 3, 5))})"

    assert window("desk", "light").evaluate(read) == [rgb(DAY["page"]), rgb(DAY["muted"])]
    page = window("desk", "dark")
    assert page.evaluate(read) == [rgb(NIGHT["page"]), rgb(NIGHT["muted"])]
    page.emulate_media(media="print")
    assert page.evaluate(read) == [rgb(DAY["page"]), rgb(DAY["muted"])]


def test_names_of_people_are_text_whatever_they_are(window, report):
    page = window()

    assert page.get_by_text(NASTY, exact=True).count() == 1
    assert page.get_by_text("<b>beta</b>", exact=True).count() >= 1
    assert "<script>alert" not in report.html
    assert "<img src=//evil" not in report.html


def test_each_picture_shows_what_the_tables_under_it_say(window):
    page = window()

    assert page.locator("#c-spend .mark-rect path").count() == 30 * 3
    assert page.locator("#c-spend").get_by_text("high", exact=True).count() == 1
    assert page.locator("#c-budget").get_by_text("limit", exact=True).count() == 1
    assert page.locator("#c-breakeven").get_by_text("a typical day", exact=True).count() == 1
    for chart in ("spend", "price", "speed", "waste", "breakeven", "budget"):
        section = page.locator(f"section:has(#c-{chart})")
        assert section.locator("table tbody tr").count() > 0, chart


def test_whoever_points_at_a_bar_is_told_what_it_is(window):
    page = window()
    page.locator("#c-spend .mark-rect path").first.hover()

    assert re.search(r"spent\s*\$", page.locator("#vg-tooltip-element").inner_text())


def test_on_paper_what_is_folded_is_open(window):
    page = window()
    assert page.locator("details[open]").count() == 0

    assert page.pdf(format="A4").startswith(b"%PDF")

    assert page.locator("details[open]").count() == page.locator("details").count() > 0


PAPER_WIDTH, PAPER_HEIGHT = 688, 1017  # of A4 within its margins, in CSS pixels


def on_paper(page, height=PAPER_HEIGHT):
    """Pages stand side by side as columns, which the browser breaks by the same rules."""
    page.emulate_media(media="print")
    page.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true; })")
    page.add_style_tag(
        content=f"body {{ width: {PAPER_WIDTH}px; height: {height}px; margin: 0; padding: 0;"
        f" column-width: {PAPER_WIDTH}px; column-gap: 0; column-fill: auto; }}"
    )


def test_sums_and_pictures_fit_on_paper(window, tmp_path):
    """Of a firm that spends millions; and drawn on a desk, which is wider."""
    spend = tuple(
        rows.Spend(one.day, one.tenant, one.backend, one.category, one.usd * 12_345)
        for one in fleet(30)[0]
    )
    path = tmp_path / "rich.html"
    path.write_text(make_report(made_figures(spend=spend), MADE_AT).html, encoding="utf-8")
    page = window(path=path)

    on_paper(page)

    wide = "[...document.querySelectorAll('.cards li, .cards .value')]"
    assert page.evaluate(f"{wide}.filter(e => e.scrollWidth > e.clientWidth).length") == 0
    drawn = "[...document.querySelectorAll('.chart svg')].map(e => e.getBoundingClientRect().width)"
    assert max(page.evaluate(drawn)) <= PAPER_WIDTH


@pytest.mark.parametrize("days", [1, 30])
def test_on_paper_a_heading_is_on_the_page_of_what_it_heads(window, tmp_path, days):
    path = tmp_path / "other.html"
    path.write_text(make_report(made_figures(days), MADE_AT).html, encoding="utf-8")
    page = window(path=path)
    alone = f"""() => {{
        const page = element => Math.floor(element.getClientRects()[0].left / {PAPER_WIDTH} + 0.01);
        const found = [];
        for (const section of document.querySelectorAll("section")) {{
            const heading = section.querySelector("h2");
            const headed = section.querySelector(".chart, tbody tr, li");
            if (headed && page(heading) !== page(headed)) found.push(heading.textContent);
        }}
        for (const table of document.querySelectorAll("section table")) {{
            const caption = table.querySelector("thead"), row = table.querySelector("tbody tr");
            if (page(caption) !== page(row)) found.push(caption.textContent);
        }}
        return found;
    }}"""

    for height in range(PAPER_HEIGHT - 400, PAPER_HEIGHT + 1, 20):
        on_paper(page, height)
        assert page.evaluate(alone) == [], height


def test_of_one_day_there_is_a_point_where_others_have_a_line(window, tmp_path):
    path = tmp_path / "day.html"
    path.write_text(make_report(made_figures(1), MADE_AT).html, encoding="utf-8")
    page = window(path=path)

    assert page.locator("#c-price .role-mark.mark-symbol path").count() == 3
    assert page.locator("#c-speed .role-mark.mark-symbol path").count() == 3
    text = re.sub(r"\s+", " ", page.locator("body").inner_text())
    assert "1 day, UTC" in text
    assert "on this day" in text
    assert "1 days" not in text


def test_a_caption_promises_only_what_there_is():
    whole = make_report(made_figures(), MADE_AT).html
    assert "over the seven days up to each of these days" in whole
    assert "By tenant, compared with the previous period" in whole

    first = TODAY - timedelta(days=30)
    part = make_report(replace(made_figures(), first_day=first), MADE_AT).html
    assert "over up to seven days, where the ledger has them, to each of these days" in part
    assert "compared with the previous period" not in part


class Heard(HTMLParser):
    """Collects addresses that a browser would fetch."""

    def __init__(self):
        super().__init__()
        self.addresses = []

    def handle_starttag(self, tag, attributes):
        self.addresses += [v for name, v in attributes if name in {"src", "href", "srcset", "data"}]


def test_nothing_in_it_has_an_address(report):
    heard = Heard()
    heard.feed(report.html)

    assert heard.addresses == ["data:,"]
    assert "default-src 'none'" in report.html


def test_what_the_figures_carry_stands_on_the_page(report):
    text = re.sub(
        r"\s+",
        " ",
        re.sub(r"<script.*?</script>|<style.*?</style>|<[^>]+>", " ", report.html, flags=re.DOTALL),
    )

    assert "RunPod l4 workers wait 60 s for another job; 5 s is enough" in text
    assert "RunPod billed US$ 12.00 that no job explains" in text
    assert "All tenants: the forecast exceeds the monthly limit of US$ 510.00 by US$ 10.00." in text
    assert "Price changes: RunPod l4 from US$ 0.82 to US$ 0.68 per hour on 2026-03-26" in text
    assert "2:03:04" in text  # of the dearest recording
    assert "Synthetic" not in text


def test_the_picture_for_mail_is_a_png_of_the_same(report):
    assert report.png.startswith(b"\x89PNG")
    width, height = (int.from_bytes(report.png[at : at + 4], "big") for at in (16, 20))
    assert 1_500 < width < 2_200
    assert 600 < height < 1_000
    assert report.headline == (
        "US$ 568.00 for transcription, 2026-03-01 to 2026-03-30 (+18 % from the previous period)"
    )


def test_made_up_figures_say_so_in_the_page_and_in_the_headline():
    made = make_report(made_figures(is_synthetic=True), MADE_AT)

    assert "none of this money was spent" in made.html
    assert made.headline.startswith("SYNTHETIC: ")


@pytest.mark.parametrize("days", [1, 90])
def test_a_day_and_a_quarter_fit_as_well(window, tmp_path, days):
    path = tmp_path / "other.html"
    path.write_text(make_report(made_figures(days), MADE_AT).html, encoding="utf-8")
    page = window("phone", path=path)

    assert page.said == []
    assert page.evaluate("document.documentElement.scrollWidth") == SIZES["phone"][0]


def test_where_nothing_was_spent_it_says_so_and_draws_nothing():
    empty = make_report(Figures(last_days(30, TODAY), None), MADE_AT)

    assert "Nothing was spent in this period" in empty.html
    assert "vegaEmbed" not in empty.html
    assert empty.png == b""


def test_data_in_the_page_end_no_script():
    spend = (*fleet(30)[0], rows.Spend(TODAY - timedelta(days=1), "acme", NASTY, "run", usd(1)))
    page = make_report(made_figures(spend=spend), MADE_AT).html
    found = re.findall(r'<script type="application/json"[^>]*>(.*?)</script>', page, re.DOTALL)

    assert len(found) == 6
    assert any(NASTY in json.dumps(json.loads(text)) for text in found)
    assert "<script>alert" not in page
