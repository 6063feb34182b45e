-- Grain: a price and the time for which it holds. Guarantee: valid_to is exclusive and never null; all
-- are in USD: a line in another currency has a row for each rate of it. list_price_usd: on demand, where
-- the price is of spot. minimum_seconds: of audio that a request is billed at least.
with lines as (
    select backend, sku, unit, coalesce(nullif(currency, ''), 'USD') as currency,
        coalesce(price_usd, price) as price, coalesce(list_price_usd, price_usd, price) as list_price,
        coalesce(minimum_seconds, 0)::decimal(9, 3) as minimum_seconds,
        (valid_from::timestamp at time zone 'UTC') as valid_from,
        coalesce(valid_to::timestamp at time zone 'UTC', timestamptz '9999-12-31 00:00:00+00') as valid_to
    from {{ ref('price_book') }}
),
rates as (
    select currency, usd_per_unit, source,
        (valid_from::timestamp at time zone 'UTC') as rate_from,
        coalesce(valid_to::timestamp at time zone 'UTC', timestamptz '9999-12-31 00:00:00+00') as rate_to
    from {{ ref('exchange_rates') }} where currency <> 'USD'
)
select
    backend, sku, unit,
    (price * coalesce(usd_per_unit, 1))::decimal(18, 12) as price_usd,
    (list_price * coalesce(usd_per_unit, 1))::decimal(18, 12) as list_price_usd,
    minimum_seconds,
    case unit when 'gpu_second' then 1 when 'machine_hour' then 3600 else 60 end as unit_seconds,
    greatest(valid_from, coalesce(rate_from, valid_from)) as valid_from,
    least(valid_to, coalesce(rate_to, valid_to)) as valid_to,
    coalesce(starts_with(lower(source), 'assum'), false) as is_by_assumed_rate
from lines
left join rates on rates.currency = lines.currency and rate_from < valid_to and rate_to > valid_from
-- a currency without a rate makes no price
where lines.currency = 'USD' or usd_per_unit is not null
