from typing import Final

from pydantic import Field, SecretStr

from .base import HOUSE, SettingsGroup
from .field_types import AbsolutePath, HeaderKey, PlainUrl

_SEEDS: Final = HOUSE / "dbt_costs" / "seeds"


class PriceSettings(SettingsGroup):
    """Where prices come from."""

    price_book: AbsolutePath = Field(
        _SEEDS / "price_book.csv",
        description="CSV file of all prices. Empty: dbt_costs/seeds/price_book.csv.",
    )
    exchange_rates: AbsolutePath = Field(
        _SEEDS / "exchange_rates.csv",
        description="CSV file of the exchange rates of invoices, by date. "
        "Empty: dbt_costs/seeds/exchange_rates.csv.",
    )
    committed_use: AbsolutePath = Field(
        _SEEDS / "committed_use.csv",
        description="CSV file of what is paid in advance for a term; the cost is spread over its "
        "days (docs/costs.md). Empty: dbt_costs/seeds/committed_use.csv.",
    )
    aws_ec2_url: PlainUrl = Field("", description="AWS: EC2 endpoint of another server, for tests.")
    google_api_key: HeaderKey = Field(
        SecretStr(""),
        description="Google: key of the Cloud Billing API, for `escriba prices refresh`.",
    )
    gcp_region: str = Field(
        "us-central1",
        description="Google: region of the prices that `escriba prices refresh` reads.",
    )
    gcp_billing_url: PlainUrl = Field(
        "https://cloudbilling.googleapis.com",
        description="Google: API from which `escriba prices refresh` reads prices.",
    )
