-- Grain: a day (UTC), backend and sku that is paid by time. Guarantee: boot, busy and idle
-- seconds are all paid seconds, each cut at midnight, with their cost. Busy seconds beyond
-- spot_priced_seconds have the price of the price book.
{{ by_day() }}
with lives as (
    select day, backend, sku,
        sum(boot_micros)::double / 1e6 as boot_seconds, sum(idle_micros)::double / 1e6 as idle_seconds
    from {{ ref('int_life_days') }} where {{ in_piece('day') }}
    group by 1, 2, 3
),
charges as (
    select day, backend, sku, sum(run_seconds)::double as busy_seconds,
        sum(spot_run_seconds)::double as spot_priced_seconds,
        sum(run_usd + boot_usd + idle_usd)::decimal(38, 9) as cost_usd
    from {{ ref('int_attempt_charges') }} as charges
    anti join {{ ref('stg_prices') }} as prices
        on charges.backend = prices.backend
        and charges.sku = prices.sku
        and prices.unit = 'audio_minute'
    where charges.backend <> 'none' and {{ in_piece('day') }}
    group by 1, 2, 3
)
select
    day, backend, sku,
    coalesce(boot_seconds, 0) as boot_seconds, coalesce(busy_seconds, 0) as busy_seconds,
    coalesce(idle_seconds, 0) as idle_seconds,
    coalesce(boot_seconds, 0) + coalesce(busy_seconds, 0) + coalesce(idle_seconds, 0) as paid_seconds,
    coalesce(spot_priced_seconds, 0) as spot_priced_seconds,
    coalesce(cost_usd, 0)::decimal(38, 9) as cost_usd
from charges full join lives using (day, backend, sku)
