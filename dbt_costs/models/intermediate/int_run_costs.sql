-- Grain: an attempt. Guarantee: none is dropped; each has the price of its own time, and where the
-- price book has none any more, what was written down when it ended.
select
    attempts.*,
    coalesce(
        case
            when prices.unit is null then null
            when prices.unit <> 'audio_minute'
                then ledger.cost_usd(attempts.run_seconds, prices.price_usd, prices.unit_seconds)
            -- an attempt that never ran was never billed
            when attempts.run_seconds > 0
                then ledger.cost_usd(
                    greatest(attempts.audio_seconds, coalesce(prices.minimum_seconds, 0)),
                    prices.price_usd, prices.unit_seconds
                )
            else 0::decimal(18, 9)
        end,
        attempts.cost_usd
    ) as run_usd,
    -- audio has its price on the day on which it was sent, however long it takes
    coalesce(prices.unit <> 'audio_minute', true) as is_paid_by_time,
    prices.unit is not null or attempts.backend = 'none' as has_price
from {{ ref('stg_attempts') }} as attempts
left join {{ ref('stg_prices') }} as prices
    on prices.backend = attempts.backend
    and prices.sku = attempts.sku
    and attempts.priced_at >= prices.valid_from
    and attempts.priced_at < prices.valid_to
