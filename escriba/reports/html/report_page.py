"""The report: one self-contained HTML file, and a picture for mail and chat."""

import json
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from escriba.errors import EscribaError
from escriba.reports.charts.drawing import Spec
from escriba.reports.charts.palette import by_day, style
from escriba.reports.comparison import change, is_comparable, spent
from escriba.reports.figures import Figures
from escriba.reports.findings import advice, attention
from escriba.reports.wording import by_assumed_rate, changed, days, these_days, usd
from escriba.text_for.visible import visible_lines

from .cards import cards
from .sections import sections

if TYPE_CHECKING:
    import jinja2
    from markupsafe import Markup

_TEMPLATES = Path(__file__).parent / "templates"
_PNG_WIDTH, _PNG_HEIGHT, _PNG_SCALE = 900, 360, 2


class ReportError(EscribaError, RuntimeError):
    """The report cannot be created; says what to do."""


@dataclass(frozen=True, slots=True)
class CostReport:
    """The page, its main chart, and a headline."""

    html: str
    png: bytes
    headline: str


def make_report(figures: Figures, made_at: datetime) -> CostReport:
    """The page and the picture for these figures.

    Raises:
        ReportError: the library that draws charts is not installed.
    """
    for name in ("altair", "vl_convert"):
        if find_spec(name) is None:
            raise ReportError(f"{name} is not installed. Run `make setup`.")
    parts = sections(figures)
    main = next((one.spec for one in parts if one.id == "spend"), None)
    page = _template().render(
        title=f"Transcription costs, {figures.periods.now}",
        figures=figures,
        made_at=made_at,
        cards=cards(figures),
        advice=advice(figures),
        attention=attention(figures),
        sections=parts,
        specs={one.id: _script_safe(one.spec) for one in parts if one.spec},
        usd=usd,
        by_assumed_rate=by_assumed_rate,
        days=days,
        these_days=these_days,
        comparable=is_comparable(figures),
        palette=style(),
        vega=_vega() if any(one.spec for one in parts) else "",
    )
    return CostReport(page, _png(figures, main), headline(figures))


def headline(figures: Figures) -> str:
    """One line that sums up the report, for a subject line."""
    total = spent(figures.spend, figures.periods.now)
    before = spent(figures.spend, figures.periods.before) if is_comparable(figures) else None
    ratio = change(total, before)
    against = f" ({changed(ratio)} from the previous period)" if ratio is not None else ""
    mark = "SYNTHETIC: " if figures.is_synthetic else ""
    rate = ", partly at an assumed exchange rate" if figures.assumed_rates else ""
    return f"{mark}{usd(total)} for transcription, {figures.periods.now}{against}{rate}"


def _script_safe(spec: Spec | None) -> str:
    """JSON that cannot end a script element, whatever it contains."""
    return json.dumps(spec, separators=(",", ":")).replace("<", "\\u003c")


@lru_cache(maxsize=1)
def _vega() -> str:
    """Vega, Vega-Lite and Vega-Embed as one script (0.9 MB), from the installed package."""
    import vl_convert  # noqa: PLC0415  # 40 MB, needed only for drawing

    script = vl_convert.javascript_bundle()  # type: ignore[call-arg]  # the stub lacks a default
    return script.replace("</script", "<\\/script")


def _png(figures: Figures, spec: Spec | None) -> bytes:
    """The main chart on white, with the headline as its title; empty without a chart."""
    import vl_convert  # noqa: PLC0415

    if spec is None:
        return b""
    drawn = by_day(spec) | {"width": _PNG_WIDTH, "height": _PNG_HEIGHT}
    drawn["title"] = {"text": headline(figures), "anchor": "start", "fontSize": 18, "offset": 12}
    drawn["config"] = drawn["config"] | {"background": "#ffffff", "font": "sans-serif"}
    return vl_convert.vegalite_to_png(drawn, scale=_PNG_SCALE)


def _words(text: str) -> "Markup":
    """A sentence with text between backticks as code; everything is escaped."""
    from markupsafe import Markup, escape  # noqa: PLC0415

    parts = [escape(part) for part in text.split("`")]
    return Markup("").join(  # only the tags below are not escaped
        Markup("<code>{}</code>").format(part) if number % 2 else part
        for number, part in enumerate(parts)
    )


def _seen(value: object) -> object:
    """A value as the page shows it: invisible characters of names are shown; Markup is our own."""
    return visible_lines(value) if type(value) is str else value


@lru_cache(maxsize=1)
def _template() -> "jinja2.Template":
    return environment().get_template("report.html")


@lru_cache(maxsize=1)
def environment() -> "jinja2.Environment":
    """The templates' environment, which escapes all values."""
    import jinja2  # noqa: PLC0415

    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
        finalize=_seen,
    )
    made.filters["words"] = _words
    return made
