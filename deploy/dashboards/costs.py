"""What it costs: budgets, bills, and what came of the money."""

from typing import Any, Final

from deploy.dashboards import panels as p
from deploy.dashboards.budgets import budgets
from deploy.dashboards.layout import dashboard
from deploy.dashboards.per_audio_hour import PLANNED_USD, per_audio_hour
from deploy.dashboards.success import OF_BACKEND

# a bar stands where Grafana asks, at the beginning of a day: it sums up what follows
OF_DAY: Final = "[1d] offset -1d"
IN_RANGE: Final = "[$__range]"
_COST, _WASTED = "transcription_cost_usd_total", "escriba_wasted_usd_total"
_AUDIO = "escriba_audio_seconds_total"
_PLAIN: Final[p.Steps] = [(None, p.GREEN)]
_FAILED: Final[p.Steps] = [(None, p.GREEN), (0.02, p.YELLOW), (0.1, p.RED)]
_PER_HOUR: Final[p.Steps] = [(None, p.GREEN), (PLANNED_USD, p.YELLOW), (2 * PLANNED_USD, p.RED)]


def costs() -> dict[str, Any]:
    """The dashboard as JSON."""
    figures = (_cost(), _audio(), _cost_of_hour(), _failed_part())
    rows: dict[str, list[p.Made]] = {
        "Time range": [one.span(p.QUARTER) for one in figures],
        "Budgets": budgets(),
        "Costs": [_by_day(), _by_tenant(), _failed_by_day(), _failed_by_backend()],
        "Worth": [per_audio_hour(), _hour_by_tenant(), _explained()],
    }
    about = "How much of each limit is spent, what it is spent on, and whether the bills agree."
    return dashboard("escriba-costs", "Escriba: costs", about, since="now-30d", rows=rows)


def _total(counter: str, window: str = IN_RANGE, by: str = "") -> str:
    return f"sum {by} (increase({counter}{{{OF_BACKEND}}}{window}))"


def _of_tenants(counter: str) -> str:
    return f"sum by (tenant) (increase({counter}{IN_RANGE}))"


def _cost() -> p.Stat:
    about = "Cost of the attempts that ended in the time range, without cold start and idle time."
    return p.number("Cost", about, p.USD, _PLAIN, p.now(_total(_COST)))


def _audio() -> p.Stat:
    about = "Audio that was transcribed in the time range."
    return p.number("Audio", about, p.SECONDS, _PLAIN, p.now(_total(_AUDIO)))


def _cost_of_hour() -> p.Stat:
    about = "Cost of all attempts, the failed ones too, per hour of transcribed audio."
    usd = p.now(f"{_total(_COST)} / (({_total(_AUDIO)} > 0) / 3600)")
    return p.number("Cost of an audio hour", about, p.USD, _PER_HOUR, usd).no_value("no audio")


def _failed_part() -> p.Stat:
    about = "Part of the cost for attempts that ended without a result."
    part = p.now(f"{_total(_WASTED)} / ({_total(_COST)} > 0)")
    return p.number("Failed work", about, p.PART, _FAILED, part).no_value("no cost")


def _by_day() -> p.Made:
    about = "Cost of the attempts that ended on each day (UTC), at their recorded prices."
    usd = p.query(_total(_COST, OF_DAY, "by (backend)"), "{{backend}}")
    panel = p.bars("Cost by backend and day", about, p.USD, usd)
    return panel.span(2 * p.THIRD).interval("1d")


def _by_tenant() -> p.Made:
    about = "The ten dearest tenants of the time range."
    usd = f"sort_desc(topk(10, {_of_tenants('escriba_tenant_cost_usd_total')}))"
    panel = p.shares("Cost by tenant", about, p.USD, _PLAIN, p.now(usd, "{{tenant}}"))
    return panel.span(p.THIRD)


def _failed_by_day() -> p.Made:
    about = "Cost of the attempts that ended without a result on each day (UTC)."
    usd = p.query(_total(_WASTED, OF_DAY, "by (backend)"), "{{backend}}")
    panel = p.bars("Failed work by backend and day", about, p.USD, usd)
    return panel.span(2 * p.THIRD).interval("1d")


def _failed_by_backend() -> p.Made:
    about = "Part of each backend's cost for attempts that ended without a result."
    wasted, cost = (_total(one, by="by (backend)") for one in (_WASTED, _COST))
    part = p.now(f"sort_desc({wasted} / ({cost} > 0))", "{{backend}}")
    return p.shares("Failed part by backend", about, p.PART, _FAILED, part).max(1).span(p.THIRD)


def _hour_by_tenant() -> p.Made:
    about = "The ten dearest tenants of the time range, per hour of transcribed audio."
    cost, audio = map(
        _of_tenants, ("escriba_tenant_cost_usd_total", "escriba_tenant_audio_seconds_total")
    )
    usd = p.now(f"sort_desc(topk(10, {cost} / (({audio} > 0) / 3600)))", "{{tenant}}")
    panel = p.shares("Cost of an audio hour by tenant", about, p.USD, _PER_HOUR, usd)
    return panel.span(p.THIRD)


def _explained() -> p.Made:
    about = "Part of the last 30 days' bills for machines that jobs explain; alert below 95 %."
    ratio = f"max by (backend) (abs(escriba_bill_unexplained_ratio{{{OF_BACKEND}}}))"
    of = p.now(f"1 - {ratio}", "{{backend}}")
    steps = [(None, p.RED), (0.95, p.GREEN)]
    return p.shares("Explained part of the bills", about, p.PART, steps, of).max(1).span(p.THIRD)
