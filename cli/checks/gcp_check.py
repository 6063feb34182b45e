"""Checks that GCP Batch can run jobs: settings, access, regions, machines, quota and prices."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

from escriba.backend_names import GCP_GPU
from escriba.settings import Settings, SettingsError

from .finding import Finding

if TYPE_CHECKING:
    from resources.gpu.gcp.batch_options import BatchOptions
    from resources.gpu.gcp.google_requests import GoogleRequests
    from resources.gpu.gcp.machine_offers import MachineOffers

_WHAT = "Google Cloud"
_ADVICE = "Set GCP_BATCH_REGIONS to regions that offer it, or choose another machine type."


def gcp(settings: Settings) -> Iterator[Finding]:
    """Check settings, access, offers, quota and prices; yields nothing without GCP settings."""
    if not settings.gcp_batch_machines:
        return
    from resources.gpu.gcp.batch_options import batch_options

    try:
        options = batch_options(settings)
    except SettingsError as error:
        yield _finding("broken", str(error))
        return
    if urlsplit(settings.bucket_url).scheme == "file":
        found = f"machines cannot reach the bucket: it is a folder ({settings.bucket_url})"
        advice = "Set STORAGE_URL to a bucket: gs://, s3:// or az:// (docs/storage.md)."
        yield _finding("broken", found, advice)
    if not settings.gcp_batch_service_account:
        found = "machines run as the default account of Compute Engine, which may do too much"
        advice = "Set GCP_BATCH_SERVICE_ACCOUNT; `escriba deploy gcp` makes one."
        yield _finding("odd", found, advice)
    for one in options:
        yield from _prices(settings, one)
    yield from asyncio.run(_looks(settings, options))


async def _looks(settings: Settings, options: "list[BatchOptions]") -> list[Finding]:
    """What Batch and Compute Engine answer."""
    from resources.gpu.gcp.access_token import access_token
    from resources.gpu.gcp.google_requests import GoogleRequests
    from resources.gpu.gcp.machine_offers import MachineOffers

    token = access_token(settings)
    batch = GoogleRequests(settings.gcp_batch_url, token)
    compute = GoogleRequests(settings.gcp_compute_url, token)
    try:
        regions = [await _region(batch, settings, region) for region in options[0].regions]
        if all(finding.state == "broken" for finding in regions):
            return regions[:1]  # the others say the same
        offers = MachineOffers(compute, settings.gcp_project)
        return [*regions, *[one for each in options for one in await _machine(offers, each)]]
    finally:
        await batch.close()
        await compute.close()


async def _region(batch: "GoogleRequests", settings: Settings, region: str) -> Finding:
    """Whether jobs may be listed, as a first sign that they may be created."""
    from escriba.billing.quotes import Health
    from resources.gpu.batch_machines.time_sources import REAL_TIME
    from resources.gpu.gcp.batch_client import BatchClient
    from resources.gpu.gcp.health import region_health

    client = BatchClient(batch, settings.gcp_project, REAL_TIME)
    health = await region_health(client, region, settings.gcp_project) or Health("well")
    if health.state == "well":
        return _finding("well", f"Batch answers in {region} for project {settings.gcp_project}")
    advice = "" if health.lasting else "Check the network. Jobs may run nevertheless."
    return _finding("broken", health.reason, advice)


async def _machine(offers: "MachineOffers", options: "BatchOptions") -> list[Finding]:
    """In which of the regions the machine is offered, and whether the quota allows one."""
    from resources.gpu.gcp.machine_offers import NotReadableError

    name = options.machine.name
    try:
        offered = await offers.zones(options.machine)
        quotas = {region: await offers.quota(options, region) for region in options.regions}
    except NotReadableError as error:
        advice = "Grant roles/compute.viewer to the orchestrator's account, for these checks alone."
        return [_finding("odd", f"offers and quotas of {name} cannot be read: {error}", advice)]
    without = [region for region in options.regions if not offered.get(region)]
    found = [_offer(name, options, offered)]
    if without and len(without) < len(options.regions):
        found.append(_finding("odd", f"{name} is not offered in {', '.join(without)}", _ADVICE))
    for region, limit in quotas.items():
        if limit is not None and limit < 1 and region not in without:
            text = f"the quota for the GPU of {name} in {region} is {limit:g}"
            advice = "Request one in Google's console: IAM and Admin, Quotas."
            found.append(_finding("broken", text, advice))
    return found


def _offer(name: str, options: "BatchOptions", offered: dict[str, list[str]]) -> Finding:
    zones = [zone for region in options.regions for zone in offered.get(region, [])]
    if zones:
        return _finding("well", f"{name} is offered in {', '.join(zones)}")
    return _finding("broken", f"{name} is offered in none of {', '.join(options.regions)}", _ADVICE)


def _prices(settings: Settings, options: "BatchOptions") -> Iterator[Finding]:
    from escriba.billing.price_book import PriceBookError
    from resources.price_book import open_price_book

    try:
        open_price_book(settings).at(GCP_GPU, options.sku, datetime.now(UTC))
    except PriceBookError as error:
        advice = "Add a line for it to the file that PRICE_BOOK names."
        yield _finding("broken", str(error), advice)


def _finding(state: Literal["well", "odd", "broken"], found: str, advice: str = "") -> Finding:
    return Finding(what=_WHAT, state=state, found=found, advice=advice)
