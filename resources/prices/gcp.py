"""Google's Cloud Billing catalog: a machine's price is that of its GPU, cores and memory."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

import httpx

from escriba.backend_names import GCP_GPU
from escriba.billing.price_book import PriceBook
from escriba.billing.price_changes import PriceOffer
from escriba.errors import BackendUnavailableError
from escriba.settings import Settings
from resources.http.hide_urls import hide_urls

_COMPUTE_ENGINE = "/v1/services/6F81-5844-456A/skus"
_NANO = Decimal("0.000000001")
_PAGE = 5_000


@dataclass(frozen=True, slots=True)
class _Machine:
    """The parts of a machine: how the description of its price begins, and the quantity."""

    parts: tuple[tuple[str, Decimal], ...]


def _spot(gpu: str, series: str, cores: int, memory_gb: int) -> _Machine:
    return _Machine(
        (
            (f"{gpu} GPU attached to Spot Preemptible", Decimal(1)),
            (f"Spot Preemptible {series} Core", Decimal(cores)),
            (f"Spot Preemptible {series} Ram", Decimal(memory_gb)),
        )
    )


def _on_demand(gpu: str, series: str, cores: int, memory_gb: int) -> _Machine:
    return _Machine(
        (
            (f"{gpu} GPU running in", Decimal(1)),
            (f"{series} Core running in", Decimal(cores)),
            (f"{series} Ram running in", Decimal(memory_gb)),
        )
    )


_T4, _L4 = "Nvidia Tesla T4", "Nvidia L4"
_N1, _G2 = "N1 Predefined Instance", "G2 Instance"
# by its name in the price book; cores and GB of memory: cloud.google.com/compute/docs/gpus
_MACHINES = {
    "n1-standard-4-t4": _spot(_T4, _N1, 4, 15),
    "n1-standard-4-t4-on-demand": _on_demand(_T4, _N1, 4, 15),
    "g2-standard-4": _spot(_L4, _G2, 4, 16),
    "g2-standard-4-on-demand": _on_demand(_L4, _G2, 4, 16),
    "g2-standard-8": _spot(_L4, _G2, 8, 32),
    "g2-standard-8-on-demand": _on_demand(_L4, _G2, 8, 32),
}


def machine_offers(settings: Settings, book: PriceBook, _now: datetime) -> list[PriceOffer]:
    """Offers for the machines in the price book, in GCP_REGION.

    Raises:
        BackendUnavailableError: no key is set, Google does not answer, or a part has no price.
    """
    names = sorted({p.sku for p in book.prices if p.backend == GCP_GPU} & _MACHINES.keys())
    if not names:
        return []
    key = settings.google_api_key.get_secret_value()
    if not key:
        raise BackendUnavailableError("Google prices are skipped: set GOOGLE_API_KEY.")
    try:
        skus = list(_skus(settings.gcp_billing_url, key, settings.gcp_region))
    except httpx.TransportError as error:
        raise BackendUnavailableError(
            f"Google's catalog does not answer ({type(error).__name__}). Check the network."
        ) from None  # an error of httpx holds the request, and so the key
    except (httpx.HTTPError, ValueError, KeyError) as error:
        raise BackendUnavailableError(
            f"Google's catalog refuses the request ({type(error).__name__}). Enable the Cloud "
            "Billing API for GOOGLE_API_KEY."
        ) from None
    source = f"Cloud Billing catalog of {settings.gcp_region}"
    return [
        PriceOffer(GCP_GPU, name, "machine_hour", _price(_MACHINES[name], skus, settings), source)
        for name in names
    ]


def _skus(url: str, key: str, region: str) -> Iterator[dict[str, Any]]:
    """Prices of the region, page by page."""
    hide_urls()
    token = ""
    with httpx.Client(base_url=url, timeout=60, headers={"X-Goog-Api-Key": key}) as http:
        while True:
            asked = {"pageSize": str(_PAGE), "currencyCode": "USD", "pageToken": token}
            answer = http.get(_COMPUTE_ENGINE, params=asked).raise_for_status().json()
            for sku in answer["skus"]:
                if region in sku["serviceRegions"]:
                    yield sku
            token = answer.get("nextPageToken", "")
            if not token:
                return


def _price(machine: _Machine, skus: list[dict[str, Any]], settings: Settings) -> Decimal:
    total = Decimal(0)
    for words, count in machine.parts:
        found = [sku for sku in skus if sku["description"].startswith(words)]
        if not found:
            raise BackendUnavailableError(
                f"Google has no price for {words!r} in GCP_REGION={settings.gcp_region}. "
                "Choose another region."
            )
        total += count * _hourly(found[0])
    return total


def _hourly(sku: dict[str, Any]) -> Decimal:
    """The last tier of its rates; the first may be free."""
    rate = sku["pricingInfo"][-1]["pricingExpression"]["tieredRates"][-1]["unitPrice"]
    return Decimal(rate.get("units") or 0) + Decimal(rate.get("nanos") or 0) * _NANO
