"""What `escriba doctor` looks at. Every examination is a function that finds one thing."""

import platform
import shutil
import sys
from collections.abc import Callable, Iterator
from importlib.metadata import version
from typing import TYPE_CHECKING

from pipelines.dagster_home import dagster_home, is_ours
from pipelines.settings import Settings, SettingsError, load_settings
from resources.storage import open_storage

from .bucket_look import bucket
from .diarizer_look import diarizer
from .findings import Finding
from .mail_look import mail
from .model_look import model
from .names_look import names
from .runpod_look import runpod

if TYPE_CHECKING:
    from pipelines.billing.prices import PriceBook

_PACKAGES = ("escriba", "dagster", "faster-whisper", "ctranslate2", "av", "obstore", "duckdb")
_LITTLE_SPACE_GB = 5


def examine() -> list[Finding]:
    """All findings; without settings there is nothing else to look at but their names."""
    try:
        settings = load_settings()
    except SettingsError as error:
        advice = "Correct them in the environment or in .env."
        wrong = Finding(what="settings", state="broken", found=str(error), advice=advice)
        return [wrong, *names(None)]
    return [finding for look in _LOOKS for finding in look(settings)]


def _versions(_settings: Settings) -> Iterator[Finding]:
    names = ", ".join(f"{name} {version(name)}" for name in _PACKAGES)
    found = f"Python {platform.python_version()}, {names}"
    yield Finding(what="versions", state="well", found=found)
    if sys.version_info[:2] not in {(3, 11), (3, 12)}:
        yield Finding(
            what="Python",
            state="odd",
            found=f"{platform.python_version()} is not tested",
            advice="Use Python 3.11 or 3.12.",
        )


def _space(settings: Settings) -> Iterator[Finding]:
    folder = open_storage(settings).scratch()
    free_gb = shutil.disk_usage(folder).free / 1e9
    enough = free_gb >= _LITTLE_SPACE_GB
    yield Finding(
        what="disk",
        state="well" if enough else "odd",
        found=f"{free_gb:,.0f} GB free in {folder}",
        advice="" if enough else "Recordings are decoded there: make room.",
    )


def _tenants(settings: Settings) -> Iterator[Finding]:
    from assets.options import tenant_wishes

    file = settings.tenants_file
    try:
        known = tenant_wishes(file)
    except SettingsError as error:
        yield Finding(what="tenants", state="broken", found=str(error))
        return
    found = f"{file} has wishes of {len(known)}" if file.exists() else f"no {file}: none differs"
    yield Finding(what="tenants", state="well", found=found)


def _prices(settings: Settings) -> Iterator[Finding]:
    from datetime import UTC, datetime

    from pipelines.billing.prices import PriceBookError
    from pipelines.price_book import open_price_book

    try:
        book = open_price_book(settings)
        book.at("local", "this-machine", datetime.now(UTC))
    except PriceBookError as error:
        advice = "An unknown price blocks every job: add the line."
        yield Finding(what="prices", state="broken", found=str(error), advice=advice)
        return
    found = f"{len(book.prices)} lines in {settings.price_book}"
    yield Finding(what="prices", state="well", found=found)
    yield from _prices_of_backends(settings, book)
    yield from _tables(settings)


def _prices_of_backends(settings: Settings, book: "PriceBook") -> Iterator[Finding]:
    """Of those that may have jobs."""
    from datetime import UTC, datetime

    from pipelines.billing.prices import PriceBookError
    from resources.gpu.registry import open_backends

    try:
        opened = open_backends(settings)
    except SettingsError:  # is told by the look at the backends
        return
    for backend in opened:
        try:
            price = book.at(backend.name, backend.sku, datetime.now(UTC))
        except PriceBookError as error:
            advice = "Until then it gets no job: an unknown price blocks."
            yield Finding(what="prices", state="broken", found=str(error), advice=advice)
            continue
        if price.rate_source.startswith("assumed"):
            advice = "Put in the rate of your bank, dated: EXCHANGE_RATES."
            found = f"{price.name} is by an {price.rate_source}"
            yield Finding(what="prices", state="odd", found=found, advice=advice)


def _tables(settings: Settings) -> Iterator[Finding]:
    """Whether the cost tables are as new as their last build."""
    from resources.costs.notes import failed_build, price_notes

    database = settings.costs_database
    for found in filter(None, [failed_build(database), *price_notes(database)]):
        yield Finding(what="cost tables", state="odd", found=found)


def _backends(settings: Settings) -> Iterator[Finding]:
    """Which of them may have jobs; makes no request."""
    from resources.gpu.registry import open_backends

    try:
        opened = open_backends(settings)
    except SettingsError as error:
        advice = "Set what it names, or another PRIMARY_BACKEND (docs/routing.md)."
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
        yield Finding(
            what=what,
            state="broken",
            found=f"its records in {settings.dagster_home} cannot be used ({type(error).__name__})",
            advice="Check DAGSTER_HOME and DAGSTER_POSTGRES_URL; the bucket knows what is done.",
        )
        return
    advice = f"Stop everything, then: DAGSTER_HOME={home} dagster instance migrate"
    yield Finding(
        what=what,
        state="odd" if outdated else "well",
        found=f"its records in {home} are {'of an older version' if outdated else 'up to date'}",
        advice=advice if outdated else "",
    )
    if not is_ours((home / "dagster.yaml").read_text(encoding="utf-8")):
        found = "dagster.yaml was edited, and is left as it is"
        advice = "Compare it with a new one at each upgrade (docs/operations.md)."
        yield Finding(what=what, state="odd", found=found, advice=advice)


def _needs_migration(instance: object) -> bool:
    """Whether the tables are older than this Dagster."""
    storages = ("run_storage", "event_log_storage", "schedule_storage")
    found = (getattr(instance, name) for name in storages)
    return any(_revision_differs(storage) for storage in found)


def _revision_differs(storage: object) -> bool:
    current = getattr(storage, "alembic_version", None)
    if current is None:
        return False
    db_revision, head_revision = current() if callable(current) else current
    return bool(db_revision != head_revision)


_LOOKS: tuple[Callable[[Settings], Iterator[Finding]], ...] = (
    _versions,
    bucket,
    _space,
    names,
    model,
    diarizer,
    _tenants,
    _prices,
    _backends,
    _dagster,
    runpod,
    mail,
)
