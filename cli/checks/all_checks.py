"""The checks of `escriba doctor`: each is a function that yields findings."""

import platform
import sys
from collections.abc import Callable, Iterator
from importlib.metadata import version
from typing import TYPE_CHECKING

from cli.dagster_home import dagster_home, is_unedited
from cli.runs.dagster_faults import dagster_fault
from escriba.backend_names import LOCAL
from escriba.settings import Settings, SettingsError, load_settings

from .alerts_check import alert_channels
from .api_check import api
from .aws_check import aws
from .bucket_check import bucket
from .diarizer_check import diarizer
from .disk_check import disks
from .finding import Finding
from .gcp_check import gcp
from .mail_check import mail
from .model_check import model
from .runpod_check import runpod
from .setting_names_check import names
from .speakers_check import speakers
from .tenants_check import tenants

if TYPE_CHECKING:
    from escriba.billing.price_book import PriceBook

_PACKAGES = ("escriba", "dagster", "faster-whisper", "ctranslate2", "av", "obstore", "duckdb")


def run_checks() -> list[Finding]:
    """Return all findings; if the settings are invalid, only those about settings."""
    try:
        settings = load_settings()
    except SettingsError as error:
        advice = "Correct them in the environment or in .env."
        wrong = Finding(what="settings", state="broken", found=str(error), advice=advice)
        return [wrong, *names(None)]
    return [finding for check in _CHECKS for finding in check(settings)]


def _versions(_settings: Settings) -> Iterator[Finding]:
    names = ", ".join(f"{name} {version(name)}" for name in _PACKAGES)
    found = f"Python {platform.python_version()}, {names}"
    yield Finding(what="versions", state="well", found=found)
    if sys.version_info[:2] not in {(3, 11), (3, 12)}:
        yield Finding(
            what="Python",
            state="odd",
            found=f"{platform.python_version()} is not tested",
            advice="Install Python 3.11 or 3.12.",
        )


def _prices(settings: Settings) -> Iterator[Finding]:
    from datetime import UTC, datetime

    from escriba.billing.price_book import PriceBookError
    from resources.price_book import open_price_book

    try:
        book = open_price_book(settings)
        book.at(LOCAL, "this-machine", datetime.now(UTC))
    except PriceBookError as error:
        advice = "Add the missing line: jobs without a price do not start."
        yield Finding(what="prices", state="broken", found=str(error), advice=advice)
        return
    found = f"{len(book.prices)} lines in {settings.price_book}"
    yield Finding(what="prices", state="well", found=found)
    yield from _backend_prices(settings, book)
    yield from _cost_tables(settings)


def _backend_prices(settings: Settings, book: "PriceBook") -> Iterator[Finding]:
    """Yield missing and assumed prices of the configured backends."""
    from datetime import UTC, datetime

    from escriba.billing.price_book import PriceBookError
    from resources.gpu.registry import open_backends

    try:
        opened = open_backends(settings)
    except SettingsError:  # reported by `_backends`
        return
    for backend in opened:
        try:
            price = book.at(backend.name, backend.sku, datetime.now(UTC))
        except PriceBookError as error:
            advice = "Add the price: a backend without one gets no jobs."
            yield Finding(what="prices", state="broken", found=str(error), advice=advice)
            continue
        if price.rate_source.startswith("assumed"):
            advice = "Enter your bank's dated rate in the file that EXCHANGE_RATES names."
            found = f"the price of {price.name} uses an {price.rate_source}"
            yield Finding(what="prices", state="odd", found=found, advice=advice)


def _cost_tables(settings: Settings) -> Iterator[Finding]:
    """Yield a failed last build, and prices that were missing or assumed in it."""
    from resources.costs_database.build_notes import failed_build, price_notes

    database = settings.costs_database
    for found in filter(None, [failed_build(database), *price_notes(database)]):
        yield Finding(what="cost tables", state="odd", found=found)


def _backends(settings: Settings) -> Iterator[Finding]:
    """Yield which backends may get jobs; makes no requests."""
    from resources.gpu.registry import open_backends

    try:
        opened = open_backends(settings)
    except SettingsError as error:
        advice = "Correct that setting, or choose another PRIMARY_BACKEND (docs/routing.md)."
        yield Finding(what="backends", state="broken", found=str(error), advice=advice)
        return
    names = ", ".join(f"{backend.name}/{backend.sku}" for backend in opened)
    found = f"jobs go to {names}; PRIMARY_BACKEND={settings.primary_backend}"
    yield Finding(what="backends", state="well", found=found)


def _dagster(settings: Settings) -> Iterator[Finding]:
    import dagster as dg

    what = "Dagster"
    try:
        home = dagster_home(settings)
        with dg.DagsterInstance.from_config(str(home)) as instance:
            instance.get_runs(limit=1)
            outdated = not instance.schedule_storage or _needs_migration(instance)
    except Exception as error:  # noqa: BLE001  # its text may hold the password
        advice = "Check DAGSTER_HOME and DAGSTER_POSTGRES_URL, then run `escriba doctor` again."
        yield Finding(
            what=what, state="broken", found=dagster_fault(error, settings), advice=advice
        )
        return
    advice = f"Stop all processes, then run: DAGSTER_HOME={home} dagster instance migrate"
    yield Finding(
        what=what,
        state="odd" if outdated else "well",
        found=f"its database in {home} is {'from an older version' if outdated else 'up to date'}",
        advice=advice if outdated else "",
    )
    if not is_unedited((home / "dagster.yaml").read_text(encoding="utf-8")):
        found = "dagster.yaml was edited; Escriba does not change it"
        advice = "After each upgrade, compare it with a new one (docs/operations.md)."
        yield Finding(what=what, state="odd", found=found, advice=advice)


def _needs_migration(instance: object) -> bool:
    """Return whether the tables are older than the installed Dagster."""
    storages = ("run_storage", "event_log_storage", "schedule_storage")
    found = (getattr(instance, name) for name in storages)
    return any(_revision_differs(storage) for storage in found)


def _revision_differs(storage: object) -> bool:
    current = getattr(storage, "alembic_version", None)
    if current is None:
        return False
    db_revision, head_revision = current() if callable(current) else current
    return bool(db_revision != head_revision)


_CHECKS: tuple[Callable[[Settings], Iterator[Finding]], ...] = (
    _versions,
    bucket,
    disks,
    names,
    model,
    diarizer,
    speakers,
    tenants,
    alert_channels,
    _prices,
    _backends,
    _dagster,
    runpod,
    aws,
    gcp,
    api,
    mail,
)
