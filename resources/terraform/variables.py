"""The variables of `deploy/terraform`, from the settings. What is empty keeps its default there."""

from typing import Any

from escriba.settings import Settings, SettingsError
from escriba.settings.field_types import comma_separated


def aws_variables(settings: Settings) -> dict[str, Any]:
    """Variables of deploy/terraform/aws."""
    return _common(settings) | _given(
        region=settings.aws_region,
        machine_types=_machine_types(settings.aws_batch_queues),
        # a job that may run longer than a lease gets its own limit, never more than this
        lease_seconds=max(settings.machine_lease_seconds, settings.job_timeout_seconds),
    )


def gcp_variables(settings: Settings) -> dict[str, Any]:
    """Variables of deploy/terraform/gcp.

    Raises:
        SettingsError: no project is set.
    """
    if not settings.gcp_project:
        raise SettingsError("Set GCP_PROJECT to the ID of the project to deploy to.")
    regions = comma_separated(settings.gcp_batch_regions) or (settings.gcp_region,)
    return _common(settings) | _given(
        project=settings.gcp_project,
        regions=list(regions),
        machine_types=list(comma_separated(settings.gcp_batch_machines)),
    )


def _common(settings: Settings) -> dict[str, Any]:
    """The budget alarm: at the limit at which Escriba itself stops, to those who hear of it."""
    limit = settings.monthly_cost_threshold
    mails = settings.budget_recipients or settings.report_recipients
    budget = None if limit is None else int(limit.to_integral_value(rounding="ROUND_CEILING"))
    return _given(monthly_budget_usd=budget, alert_emails=list(mails))


def _machine_types(queues: str) -> list[str]:
    """The machine types of AWS_BATCH_QUEUES: `type=queue,type=queue`."""
    return [pair.partition("=")[0].strip() for pair in comma_separated(queues)]


def _given(**values: object) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value not in ("", None, [])}
