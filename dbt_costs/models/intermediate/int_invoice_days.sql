-- Grain: a line of a bill and a day (UTC) of its period. Guarantee: the days of a line add up to
-- it; a period that begins or ends within a day includes the whole day. told_until: the end of
-- the last billed usage of the payer's bill (for RunPod, of any line), or of the month once the
-- invoice has its number (escriba/billing/billed_until.py); later hours may still arrive. amount
-- and line_usd: of the whole line.
with told as (
    select *, amount_usd as line_usd,
        max(case
            when backend = 'aws_gpu' and not regexp_full_match(invoice_id, '\d{4}-\d{2}')
                then greatest(period_end, (date_trunc('month', period_start) + interval 1 month))
            else period_end
        end) filter (
            category = 'compute' or (
                category in ('storage', 'network')
                and date_diff('microseconds', period_start, period_end) <= 86400000000
            )
        ) over (partition by backend, case when backend <> 'runpod' then bill end) as told_until
    from {{ ref('stg_invoices') }}
),
days as (
    select *,
        unnest(generate_series(
            period_start::date,
            greatest(period_start, period_end - to_microseconds(1))::date, interval 1 day
        ))::date as day,
        date_diff('day', period_start::date,
            greatest(period_start, period_end - to_microseconds(1))::date) + 1 as days
    from told
)
select
    day, row_id, backend, category, sku, invoice_id, bill, currency, rate_source, imported_at,
    told_until,
    ledger.share_usd(
        amount_usd, date_diff('day', period_start::date, day),
        date_diff('day', period_start::date, day) + 1, days
    ) as amount_usd,
    amount, line_usd
from days
