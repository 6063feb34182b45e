-- Grain: a line of a bill and a day (UTC) of its period. Guarantee: the days of a line add up to it;
-- a period that begins or ends within a day has that day whole.
with days as (
    select *,
        unnest(generate_series(
            period_start::date,
            greatest(period_start, period_end - to_microseconds(1))::date, interval 1 day
        ))::date as day,
        date_diff('day', period_start::date,
            greatest(period_start, period_end - to_microseconds(1))::date) + 1 as days
    from {{ ref('stg_invoices') }}
)
select
    day, row_id, backend, category, imported_at,
    ledger.share_usd(
        amount_usd, date_diff('day', period_start::date, day),
        date_diff('day', period_start::date, day) + 1, days
    ) as amount_usd
from days
