"""Limits on money that are nearly used up, or are: a check of `budget_burn`, told once."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import dagster as dg

from .cost_limits import budget_owners
from .cost_report import mail_server

if TYPE_CHECKING:
    from pipelines.billing.burn import Level
    from pipelines.settings import Settings

EVERY_LIMIT_HOLDS = "every_limit_holds"
_BURN = "budget_burn"
_STATES = {"warn": "is nearly used up", "stop": "is reached"}
_WHAT_NOW = {
    "warn": "Nothing waits yet. `escriba costs` says how far each limit is used.",
    "stop": "New work waits until the limit allows it again, or is raised.",
}
LIMITS_CHECK = dg.AssetCheckSpec(
    EVERY_LIMIT_HOLDS,
    asset=_BURN,
    description="No limit on money is used beyond BUDGET_WARN_SHARE, nor will be by the forecast.",
)


def tell_of_limits(context: dg.AssetExecutionContext, settings: "Settings") -> Iterator[Any]:
    """The check, always; an observation and a line in the log for what is new in its period."""
    from resources.costs.burning import read_levels, tell_once  # noqa: PLC0415
    from resources.gpu.opening import count_now  # noqa: PLC0415
    from resources.storage import open_storage  # noqa: PLC0415

    storage = open_storage(settings)
    spent = count_now(settings, storage)
    found = read_levels(settings.costs_database, settings.budget_warn_share, spent=spent)
    owners = budget_owners(settings)
    for level in tell_once(storage, found):
        context.log.warning("%s", level.sentence)
        to = owners.get(level.scope, ())
        trouble = tell_owners(settings, level, to)
        if trouble:
            context.log.warning("%s", trouble)
        told = {"level": level.state, "limit": level.limit, "sentence": level.sentence}
        told["owners"] = ", ".join(to) or "nobody"
        context.log_event(dg.AssetObservation(_BURN, metadata=told))
    states = {level.state for level in found}
    severity = dg.AssetCheckSeverity.ERROR if "stop" in states else dg.AssetCheckSeverity.WARN
    yield dg.AssetCheckResult(
        passed=states <= {"ok"},
        asset_key=_BURN,
        check_name=EVERY_LIMIT_HOLDS,
        severity=severity,
        metadata={one.limit: one.sentence for one in found},
    )


def tell_owners(settings: "Settings", level: "Level", owners: tuple[str, ...]) -> str:
    """A letter to whoever answers for the budget; why there is none, or nothing where all is well.

    A level that could not be mailed stays told: the log and the check of `budget_burn` have it.
    """
    from resources.report.mail import MailError, note, send  # noqa: PLC0415

    server = mail_server(settings)
    if not owners:
        return ""
    if server is None or not settings.report_mail_from:
        return f"{level.limit}: its owners are not told, for want of SMTP_HOST or REPORT_MAIL_FROM."
    headline = f"Escriba: {level.limit} {_STATES[level.state]}"
    text = f"{level.sentence}\n\n{_WHAT_NOW[level.state]}\n"
    try:
        send(server, note(headline, text, settings.report_mail_from, owners))
    except MailError as error:
        return f"{level.limit}: its owners are not told. {error}"
    return ""
