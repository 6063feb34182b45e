-- Grain: a commitment and a day (UTC) of its term, up to today. Guarantee: the days of a whole
-- term add up to what was paid for it; next to it are the paid hours of workers of its sku, and
-- their cost at price book prices. Bills and daily_spend are unaffected: they count money as
-- billed.
{{ config(materialized='table') }}
with days as (
    select name, backend, sku, usd, valid_from, valid_to,
        unnest(generate_series(valid_from, valid_to - 1, interval 1 day))::date as day
    from {{ ref('committed_use') }}
)
select
    days.name, days.day, days.backend, days.sku,
    ledger.share_usd(
        days.usd, days.day - days.valid_from, days.day - days.valid_from + 1,
        days.valid_to - days.valid_from
    ) as amortized_usd,
    coalesce(used.paid_seconds, 0) / 3600 as used_hours,
    coalesce(used.cost_usd, 0)::decimal(38, 9) as at_price_book_usd
from days left join {{ ref('worker_time') }} as used
    on days.day = used.day and days.backend = used.backend and days.sku = used.sku
where days.day <= {{ as_of() }}::date
