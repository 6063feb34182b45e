"""The page: one HTML file that asks nobody for anything, and the picture for mail and chat."""

import json
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

from pipelines.billing.report.comparison import change, is_comparable, spent
from pipelines.billing.report.figures import Figures
from pipelines.billing.report.findings import advice, attention
from pipelines.billing.report.wording import changed, days, these_days, usd

from .cards import cards
from .charts.drawing import Spec
from .palette import by_day, style
from .sections import sections

_TEMPLATES = Path(__file__).parent / "templates"
_PNG_WIDTH, _PNG_HEIGHT, _PNG_SCALE = 900, 360, 2


class ReportError(RuntimeError):
    """It cannot be made; says what to do."""


@dataclass(frozen=True, slots=True)
class Report:
    """What is written: the page, and its main picture."""

    html: str
    png: bytes
    headline: str


def make_report(figures: Figures, made_at: datetime) -> Report:
    """The page and the picture of these figures.

    Raises:
        ReportError: what draws is not installed.
    """
    for name in ("altair", "vl_convert"):
        if find_spec(name) is None:
            raise ReportError(
                f"{name} is not installed: `make setup` brings it, as does "
                "`pip install -c requirements.lock -e '.[costs]'`."
            )
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
        days=days,
        these_days=these_days,
        comparable=is_comparable(figures),
        palette=style(),
        vega=_vega() if any(one.spec for one in parts) else "",
    )
    return Report(page, _png(figures, main), headline(figures))


def headline(figures: Figures) -> str:
    """One sentence, for a subject line."""
    total = spent(figures.spend, figures.periods.now)
    before = spent(figures.spend, figures.periods.before) if is_comparable(figures) else None
    ratio = change(total, before)
    against = f" ({changed(ratio)} against the period before)" if ratio is not None else ""
    mark = "SYNTHETIC: " if figures.is_synthetic else ""
    return f"{mark}{usd(total)} for transcription, {figures.periods.now}{against}"


def _script_safe(spec: Spec | None) -> str:
    """JSON that ends no script element, whatever is in it."""
    return json.dumps(spec, separators=(",", ":")).replace("<", "\\u003c")


@lru_cache(maxsize=1)
def _vega() -> str:
    """Vega, Vega-Lite and Vega-Embed as one script (0.9 MB), out of the installed package."""
    import vl_convert  # noqa: PLC0415  # 40 MB, and only who draws needs it

    script: str = vl_convert.javascript_bundle()
    return script.replace("</script", "<\\/script")


def _png(figures: Figures, spec: Spec | None) -> bytes:
    """The main picture on white, with a title that says all."""
    import vl_convert  # noqa: PLC0415

    if spec is None:
        return b""
    drawn = by_day(spec) | {"width": _PNG_WIDTH, "height": _PNG_HEIGHT}
    drawn["title"] = {"text": headline(figures), "anchor": "start", "fontSize": 18, "offset": 12}
    drawn["config"] = drawn["config"] | {"background": "#ffffff", "font": "sans-serif"}
    png: bytes = vl_convert.vegalite_to_png(drawn, scale=_PNG_SCALE)
    return png


def _words(text: str):  # noqa: ANN202  # markupsafe's, which comes with jinja2
    """A sentence, with what stands between backticks as code; everything is escaped."""
    from markupsafe import Markup, escape  # noqa: PLC0415

    parts = [escape(part) for part in text.split("`")]
    return Markup("").join(  # the tags are ours, the rest is escaped
        Markup("<code>{}</code>").format(part) if number % 2 else part
        for number, part in enumerate(parts)
    )


@lru_cache(maxsize=1)
def _template():  # noqa: ANN202  # jinja2's, which is only imported there
    return environment().get_template("report.html")


@lru_cache(maxsize=1)
def environment():  # noqa: ANN201  # jinja2's, which is only imported here
    """Templates in which everything that people named is escaped."""
    import jinja2  # noqa: PLC0415

    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    made.filters["words"] = _words
    return made
