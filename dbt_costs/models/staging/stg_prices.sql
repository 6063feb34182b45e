-- Grain: a price and the time for which it is valid. Guarantee: valid_to is exclusive and never
-- null; all prices are in USD, and a line in another currency has a row for each of its rates.
-- list_price_usd: the on-demand price of a spot line. active_price_usd: in USD, for a warm worker
-- while it waits. minimum_seconds: the shortest audio that a request is billed for. rate_source:
-- the exchange rate in words, as in escriba/billing/exchange_rates.py; null for a line in USD.
-- add_on: the category of what each leased machine of the backend has beside the machine; empty
-- for a machine or audio.
with lines as (
    select backend, sku, unit, coalesce(nullif(currency, ''), 'USD') as currency,
        coalesce(price_usd, price) as price, list_price_usd, active_price_usd,
        coalesce(minimum_seconds, 0)::decimal(9, 3) as minimum_seconds,
        coalesce(add_on, '') as add_on,
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
    coalesce(list_price_usd, price * coalesce(usd_per_unit, 1))::decimal(18, 12) as list_price_usd,
    active_price_usd::decimal(18, 12) as active_price_usd, minimum_seconds,
    add_on,
    case unit when 'gpu_second' then 1 when 'machine_hour' then 3600 else 60 end as unit_seconds,
    greatest(valid_from, coalesce(rate_from, valid_from)) as valid_from,
    least(valid_to, coalesce(rate_to, valid_to)) as valid_to,
    coalesce(starts_with(lower(source), 'assum'), false) as is_by_assumed_rate,
    case when usd_per_unit is not null then
        case when starts_with(lower(source), 'assum') then 'assumed rate' else 'rate' end
        || ' from EXCHANGE_RATES: 1 ' || rates.currency || ' = '
        || regexp_replace(usd_per_unit::varchar, '\.?0+$', '') || ' USD since '
        || strftime(rate_from, '%Y-%m-%d') || ' (' || source || ')'
    end as rate_source
from lines
left join rates on lines.currency = rates.currency and rate_from < valid_to and rate_to > valid_from
-- a price without an exchange rate is left out
where lines.currency = 'USD' or usd_per_unit is not null
