-- Grain: a price and the time for which it holds. Guarantee: valid_to is exclusive and never null.
select
    backend, sku, unit, price_usd,
    case unit when 'gpu_second' then 1 when 'machine_hour' then 3600 else 60 end as unit_seconds,
    (valid_from::timestamp at time zone 'UTC') as valid_from,
    coalesce(valid_to::timestamp at time zone 'UTC', timestamptz '9999-12-31 00:00:00+00') as valid_to
from {{ ref('price_book') }}
