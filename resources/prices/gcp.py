"""Google's Cloud Billing catalogue: a spot machine is its GPU, its cores and its memory."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

import httpx

from pipelines.billing.catalogue import Offer
from pipelines.billing.prices import PriceBook
from pipelines.settings import Settings
from resources.failures import BackendUnavailableError
from resources.http_log import hide_addresses

_COMPUTE_ENGINE = "/v1/services/6F81-5844-456A/skus"
_NANO = Decimal("0.000000001")
_PAGE = 5_000


@dataclass(frozen=True, slots=True)
class _Machine:
    """How much of what; parts: words that the description of a spot price has, and how many."""

    parts: tuple[tuple[tuple[str, ...], Decimal], ...]


# by its name in the price book
_MACHINES = {
    "n1-standard-4-t4": _Machine(
        (
            (("Nvidia Tesla T4 GPU", "Spot Preemptible"), Decimal(1)),
            (("Spot Preemptible N1 Predefined Instance Core",), Decimal(4)),
            (("Spot Preemptible N1 Predefined Instance Ram",), Decimal(15)),
        )
    )
}


def machine_offers(settings: Settings, book: PriceBook, _now: datetime) -> list[Offer]:
    """Of the machines that the book has, in GCP_REGION.

    Raises:
        BackendUnavailableError: no key is set, Google does not answer, or a part has no price.
    """
    names = sorted({p.sku for p in book.prices if p.backend == "gcp_gpu"} & _MACHINES.keys())
    if not names:
        return []
    key = settings.google_api_key.get_secret_value()
    if not key:
        raise BackendUnavailableError("Google is not asked: GOOGLE_API_KEY is empty.")
    try:
        skus = list(_skus(settings.gcp_billing_url, key, settings.gcp_region))
    except httpx.TransportError as error:
        raise BackendUnavailableError(
            f"Google's catalogue does not answer ({type(error).__name__}): look at the network."
        ) from None  # an error of httpx holds the request, and so the key
    except (httpx.HTTPError, ValueError, KeyError) as error:
        raise BackendUnavailableError(
            f"Google's catalogue refuses ({type(error).__name__}): GOOGLE_API_KEY needs the Cloud "
            "Billing API."
        ) from None
    source = f"Cloud Billing catalogue of {settings.gcp_region}"
    return [
        Offer("gcp_gpu", name, "machine_hour", _price(_MACHINES[name], skus, settings), source)
        for name in names
    ]


def _skus(url: str, key: str, region: str) -> Iterator[dict[str, Any]]:
    """Spot prices of the region, page by page."""
    hide_addresses()
    token = ""
    with httpx.Client(base_url=url, timeout=60, headers={"X-Goog-Api-Key": key}) as http:
        while True:
            asked = {"pageSize": str(_PAGE), "currencyCode": "USD", "pageToken": token}
            answer = http.get(_COMPUTE_ENGINE, params=asked).raise_for_status().json()
            for sku in answer["skus"]:
                if region in sku["serviceRegions"] and "Preemptible" in sku["description"]:
                    yield sku
            token = answer.get("nextPageToken", "")
            if not token:
                return


def _price(machine: _Machine, skus: list[dict[str, Any]], settings: Settings) -> Decimal:
    total = Decimal(0)
    for words, count in machine.parts:
        found = [sku for sku in skus if all(word in sku["description"] for word in words)]
        if not found:
            raise BackendUnavailableError(
                f"Google has no spot price of {words[0]!r} in GCP_REGION={settings.gcp_region}."
            )
        total += count * _hourly(found[0])
    return total


def _hourly(sku: dict[str, Any]) -> Decimal:
    """The last step of its rates; the first may be free."""
    rate = sku["pricingInfo"][-1]["pricingExpression"]["tieredRates"][-1]["unitPrice"]
    return Decimal(rate.get("units") or 0) + Decimal(rate.get("nanos") or 0) * _NANO
