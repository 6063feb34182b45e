-- Grain: a backend's sku and hours of audio per day (0 to 2,400). Guarantee: the cost of a day
-- there at today's price; a machine that is always on costs a whole day with its disk and address,
-- even without audio, and does no more than its capacity.
{{ config(materialized='table') }}
with measured as (
    select backend, sku, median(run_seconds / audio_seconds) as rtf, count(*) as jobs
    from {{ ref('stg_attempts') }} as attempts
    where status = 'done' and {{ audio_of('attempts') }} > 0 and run_seconds > 0
      and started_at > {{ as_of() }} - interval 30 day
    group by 1, 2
),
overhead as (
    -- boot and idle cost per dollar of run
    select backend, sku, sum(boot_usd + idle_usd)::double / nullif(sum(run_usd), 0)::double as share
    from {{ ref('int_attempt_charges') }}
    where day > ({{ as_of() }} - interval 30 day)::date
    group by 1, 2
),
today as (
    select *, (price_usd * (3600 / unit_seconds)::decimal(6, 0))::decimal(18, 9) as usd_per_hour
    from {{ ref('stg_prices') }}
    where {{ as_of() }} >= valid_from and {{ as_of() }} < valid_to
),
add_ons as (
    -- disks and addresses, which each machine of a backend has
    select backend, sum(usd_per_hour) as usd_per_hour from today where add_on <> '' group by 1
),
options as (
    select prices.backend, prices.sku, prices.unit, prices.price_usd,
        case when prices.unit = 'machine_hour' then prices.usd_per_hour + coalesce(add_ons.usd_per_hour, 0)
            else prices.usd_per_hour end as usd_per_hour,
        coalesce(measured.rtf, 0.2) as rtf, -- the planned RTF of the backends
        coalesce(measured.jobs, 0) as jobs,
        case when prices.unit = 'gpu_second' then coalesce(overhead.share, 0) else 0 end as overhead
    from today as prices
    left join measured using (backend, sku)
    left join overhead using (backend, sku)
    left join add_ons using (backend)
    where prices.backend <> 'local' and prices.add_on = ''
),
hours as (
    select unnest([
        0, 1, 2, 4, 6, 8, 12, 16, 24, 36, 48, 72, 96, 120, 168, 240, 480, 960, 2400
    ]) as audio_hours_a_day
)
select
    backend, sku, unit, audio_hours_a_day, rtf, jobs as measured_jobs,
    case unit
        when 'audio_minute' then (audio_hours_a_day * usd_per_hour)::decimal(18, 9)
        when 'machine_hour' then (24 * usd_per_hour)::decimal(18, 9)
        else (audio_hours_a_day * rtf * (1 + overhead) * usd_per_hour::double)::decimal(18, 9)
    end as usd_a_day,
    -- the limit of one GPU; APIs and workers paid by the second have none
    case when unit = 'machine_hour' then audio_hours_a_day * rtf <= 24 else true end as can_do_it,
    list_contains(string_split('{{ var('backends') }}', ','), backend) as can_be_set_up
from options cross join hours
