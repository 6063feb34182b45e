"""The invoices in the ledger, as the budget limits count them; read again after an import."""

from collections.abc import Mapping

from escriba.billing.billed_days import Billed, BilledDay, InvoiceLine, billed_days
from resources.ledger.queries import open_invoices
from resources.ledger.tables import INVOICES
from resources.storage.base import Storage, StoredObject

_QUERY = """
    SELECT backend, bill, invoice_id, category, period_start, period_end, amount_usd, imported_at
    FROM invoices WHERE withdrawn_at IS NULL
"""


class InvoiceCache:
    """The invoices of all days; without new files, a call costs one listing."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._keys: frozenset[str] = frozenset()
        self._days: Mapping[BilledDay, Billed] = {}

    def days(self) -> Mapping[BilledDay, Billed]:
        """The billed amounts by day and backend.

        Raises:
            StorageError: a file is damaged; names its key.
        """
        found = self._storage.list(INVOICES)
        keys = frozenset(one.key for one in found if isinstance(one, StoredObject))
        if keys != self._keys:
            with open_invoices(self._storage) as ledger:
                lines = [InvoiceLine(*row) for row in ledger.execute(_QUERY).fetchall()]
            self._days, self._keys = billed_days(lines), keys
        return self._days
