-- Grain: a line of a bill. Guarantee: every row of the ledger.
select
    row_id, backend, invoice_id, sku, category, period_start, period_end, amount, currency,
    amount_usd, description, imported_at
from {{ source('ledger', 'invoices') }}
