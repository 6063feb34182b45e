"""The bills in the ledger, as a limit on money takes them; read anew when one is added."""

from collections.abc import Mapping

from pipelines.billing.billed import Billed, BilledDay, InvoiceLine, billed_days

from .ledger import open_invoices
from .ledger_writer import INVOICES
from .storage.base import Storage, Stored

_QUERY = """
    SELECT backend, bill, invoice_id, category, period_start, period_end, amount_usd, imported_at
    FROM invoices WHERE withdrawn_at IS NULL
"""


class Bills:
    """Of all days; a look is one listing where nothing was added."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._keys: frozenset[str] = frozenset()
        self._days: Mapping[BilledDay, Billed] = {}

    def days(self) -> Mapping[BilledDay, Billed]:
        """What the bills say of each day and backend.

        Raises:
            StorageError: a file is damaged; names its key.
        """
        found = self._storage.list(INVOICES)
        keys = frozenset(one.key for one in found if isinstance(one, Stored))
        if keys != self._keys:
            with open_invoices(self._storage) as ledger:
                lines = [InvoiceLine(*row) for row in ledger.execute(_QUERY).fetchall()]
            self._days, self._keys = billed_days(lines), keys
        return self._days
