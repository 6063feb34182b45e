-- Grain: a day (UTC), backend and add-on: a disk or an address that each leased machine of the
-- backend has. Guarantee: all paid time of the day (boot, runs, idle; jobs that overlap once) at
-- its price, rounded once, as in escriba/billing/add_ons.py. The time of a machine that EC2 took
-- back in its first hour counts: only the machine is free.
{{ by_day() }}
with add_ons as (
    select * from {{ ref('stg_prices') }} where add_on <> ''
),
times as (
    select day, backend, round(run_seconds * 1e6)::hugeint as micros
    from {{ ref('int_run_days') }}
    semi join add_ons using (backend)
    where {{ in_piece('day') }} and {{ runs_near_piece('started_at', 'run_until') }}
    union all by name
    select day, backend, (boot_micros + idle_micros)::hugeint as micros
    from {{ ref('int_life_days') }}
    semi join add_ons using (backend)
    where {{ in_piece('day') }}
),
paid as (
    select day, backend, sum(micros)::hugeint as micros from times group by 1, 2
    having sum(micros) > 0
)
select paid.day, paid.backend, add_ons.sku, add_ons.add_on as category,
    ledger.cost_of_micros(micros, price_usd, unit_seconds) as usd
from paid inner join add_ons
    on paid.backend = add_ons.backend
    -- prices change at midnight
    and (paid.day::timestamp at time zone 'UTC') >= add_ons.valid_from
    and (paid.day::timestamp at time zone 'UTC') < add_ons.valid_to
