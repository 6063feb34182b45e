-- Grain: a line of a bill. Guarantee: every row of the ledger except those that a later delivery
-- of the same billing period dropped.
select
    row_id, backend, invoice_id, sku, category, period_start, period_end, amount, currency,
    amount_usd, description, imported_at, coalesce(bill, invoice_id) as bill,
    coalesce(rate_source, '') as rate_source
from {{ source('ledger', 'invoices') }}
where withdrawn_at is null
