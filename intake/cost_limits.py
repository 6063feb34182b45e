"""Budget limits as the marts need them: the overall limit, and each tenant's own."""

from escriba.billing.permissions import SpendLimits
from escriba.settings import Settings

from .tenants import read_tenants


def cost_limits(settings: Settings) -> dict[str, SpendLimits]:
    """The limits by scope, in USD: 'all', and each tenant with a budget in TENANTS_FILE.

    Raises:
        SettingsError: TENANTS_FILE is not valid.
    """
    overall = SpendLimits(
        day_usd=settings.daily_cost_threshold, month_usd=settings.monthly_cost_threshold
    )
    tenants = read_tenants(settings.tenants_file).items()
    own = {name: tenant.budget for name, tenant in tenants if tenant.budget is not None}
    return {"all": overall} | own


def budget_owners(settings: Settings) -> dict[str, tuple[str, ...]]:
    """The addresses that receive budget warnings, by scope.

    'all' has BUDGET_OWNERS; a tenant has the owners of its budget. A scope without addresses is
    left out.

    Raises:
        SettingsError: TENANTS_FILE is not valid.
    """
    tenants = read_tenants(settings.tenants_file).items()
    own = {name: one.budget.owners for name, one in tenants if one.budget and one.budget.owners}
    overall = settings.budget_recipients
    return ({"all": overall} if overall else {}) | own
