"""`escriba costs --rebuild` and `--compact`: rewrite the ledger's files."""

from datetime import UTC, datetime

from assets.costs.rebuild_ledger import rebuild_ledger
from cli.cli_context import say
from escriba.settings import Settings
from resources.price_book import open_price_book
from resources.storage.base import Storage


def tidy_ledger(settings: Settings, storage: Storage, *, rebuild: bool, compact: bool) -> None:
    """Rebuild and compact the ledger as requested, before its rows are read."""
    if rebuild:
        count = rebuild_ledger(storage, open_price_book(settings))
        say(f"Rebuilt the rows of {count:,} attempts from their records.")
    if compact:
        _compact(storage)


def _compact(storage: Storage) -> None:
    from resources.compaction import compact_ledger

    done = compact_ledger(storage, datetime.now(UTC))
    for line in (done.headline, *done.troubles):
        say(line)
