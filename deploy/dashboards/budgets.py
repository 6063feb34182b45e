"""How much of each limit is spent: the second row of the dashboard of the costs."""

from typing import Final

from deploy.dashboards import panels as p

_SPENT: Final = "escriba_budget_spent_usd"
_RESERVED: Final = "escriba_budget_reserved_usd"
_LIMIT: Final = "escriba_budget_limit_usd"
_KEYS: Final = "by (scope, period)"
_USED: Final[p.Steps] = [(None, p.GREEN), (0.8, p.YELLOW), (1, p.RED)]


def budgets() -> list[p.Made]:
    """By scope (all or a tenant) and period (day or month), now and over time."""
    return [_used(), _figures(), _over_time("day"), _over_time("month")]


def _used() -> p.Made:
    used = f"max {_KEYS} (({_SPENT} + {_RESERVED}) / ({_LIMIT} > 0))"
    of = p.now(f"sort_desc({used})", "{{scope}}, {{period}}")
    about = "Spent or reserved, in the current day or month (UTC). BudgetBurn fires above 80 %."
    panel = p.shares("Used part of each limit", about, p.PART, _USED, of)
    return panel.max(1).span(p.HALF).no_value("no limit")


def _figures() -> p.Made:
    columns = {"Spent": _SPENT, "Reserved": _RESERVED, "Limit": _LIMIT}
    queries = {name: p.now(f"max {_KEYS} ({of})") for name, of in columns.items()}
    about = "What counts against each limit, with cold start, idle time and bills."
    return p.table("Spent, reserved and limit", about, p.USD, queries).span(p.HALF)


def _over_time(period: str) -> p.Made:
    of = f'{{scope="all", period="{period}"}}'
    about = f"What counts against the limit of the {period} for all tenants."
    return p.lines(
        f"Spent in the {period}",
        about,
        p.USD,
        p.query(f"max({_SPENT}{of})", "spent"),
        p.query(f"max({_SPENT}{of} + {_RESERVED}{of})", "spent or reserved"),
        p.query(f"max({_LIMIT}{of})", "limit"),
    ).span(p.HALF)
