"""The limits on money as the marts have them: of everybody, and of each tenant with its own."""

from pipelines.billing.policy import Limits
from pipelines.settings import Settings

from .tenants import read_tenants


def cost_limits(settings: Settings) -> dict[str, Limits]:
    """'all', and the tenants whose budget is in TENANTS_FILE.

    Raises:
        SettingsError: the file is wrong.
    """
    house = Limits(day_usd=settings.daily_cost_threshold, month_usd=settings.monthly_cost_threshold)
    own = read_tenants(settings.tenants_file).items()
    return {"all": house} | {name: one.budget for name, one in own if one.budget is not None}


def budget_owners(settings: Settings) -> dict[str, tuple[str, ...]]:
    """Who is told of a limit: of 'all' (BUDGET_OWNERS), and of each tenant that names somebody.

    Raises:
        SettingsError: the file is wrong.
    """
    own = read_tenants(settings.tenants_file).items()
    named = {name: one.budget.owners for name, one in own if one.budget and one.budget.owners}
    house = settings.owners_of_the_budget
    return ({"all": house} if house else {}) | named
