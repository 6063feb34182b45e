"""Budget limits that are nearly used up or reached: a check of `budget_burn`, reported once."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import dagster as dg

from escriba.text_for.plain_lines import log_line
from intake.cost_limits import budget_owners

from .cost_report import mail_server

if TYPE_CHECKING:
    from escriba.billing.budget_burn import Level
    from escriba.settings import Settings

EVERY_LIMIT_HOLDS = "every_limit_holds"
_BURN = "budget_burn"
_STATES = {"warn": "is nearly used up", "stop": "is reached"}
_ADVICE = {
    "warn": "No work is deferred yet. `escriba costs` shows how much of each limit is used.",
    "stop": "New work is deferred until the limit allows it again or you raise the limit.",
}
LIMITS_CHECK = dg.AssetCheckSpec(
    EVERY_LIMIT_HOLDS,
    asset=_BURN,
    description="No budget limit is used beyond BUDGET_WARN_SHARE, or is forecast to be exceeded.",
)


def report_limits(context: dg.AssetExecutionContext, settings: "Settings") -> Iterator[Any]:
    """The check of all limits; each new level of a period is also logged, observed and mailed."""
    from resources.costs_database.budget_levels import read_levels, report_once  # noqa: PLC0415
    from resources.gpu.open_engine import count_now  # noqa: PLC0415
    from resources.storage import open_storage  # noqa: PLC0415

    storage = open_storage(settings)
    spent = count_now(settings, storage)
    levels = read_levels(settings.costs_database, settings.budget_warn_share, spent=spent)
    owners = budget_owners(settings)
    for level in report_once(storage, levels):
        _report_level(context, settings, level, owners.get(level.scope, ()))
    states = {level.state for level in levels}
    severity = dg.AssetCheckSeverity.ERROR if "stop" in states else dg.AssetCheckSeverity.WARN
    yield dg.AssetCheckResult(
        passed=states <= {"ok"},
        asset_key=_BURN,
        check_name=EVERY_LIMIT_HOLDS,
        severity=severity,
        metadata={level.limit: level.sentence for level in levels},
    )


def _report_level(
    context: dg.AssetExecutionContext, settings: "Settings", level: "Level", owners: tuple[str, ...]
) -> None:
    context.log.warning("%s", log_line(level.sentence))
    trouble = mail_owners(settings, level, owners)
    if trouble:
        context.log.warning("%s", log_line(trouble))
    metadata = {"level": level.state, "limit": level.limit, "sentence": level.sentence}
    metadata["owners"] = ", ".join(owners) or "none"
    context.log_event(dg.AssetObservation(_BURN, metadata=metadata))


def mail_owners(settings: "Settings", level: "Level", owners: tuple[str, ...]) -> str:
    """Mail the level to the owners of the budget; returns why that failed, else an empty string.

    A level that could not be mailed is not mailed later: the log and the check report it.
    """
    from resources.mail import MailError, send, text_mail  # noqa: PLC0415

    server = mail_server(settings)
    if not owners:
        return ""
    if server is None or not settings.report_mail_from:
        return (
            f"{level.limit}: its owners could not be notified. Set SMTP_HOST and REPORT_MAIL_FROM."
        )
    headline = f"Escriba: {level.limit} {_STATES[level.state]}"
    text = f"{level.sentence}\n\n{_ADVICE[level.state]}\n"
    try:
        send(server, text_mail(headline, text, settings.report_mail_from, owners))
    except MailError as error:
        return f"{level.limit}: its owners could not be notified. {error}"
    return ""
