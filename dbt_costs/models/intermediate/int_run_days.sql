-- Grain: an attempt and a day (UTC) on which it ran. Guarantee: no attempt is dropped; each
-- second has the price of its own day, as in escriba/billing/price_periods.py, and is paid once,
-- even if jobs of one life overlap. Audio has the price at the time it was sent, however long it
-- takes: what the attempt bought (macros/audio.sql), or the billed minimum, and all of it belongs to
-- that day. If the price book has no
-- price any more, the recorded cost counts. A run on a spot machine has the price of its zone, if
-- the zone's history is known, and costs nothing if EC2 took the machine back within its first hour.
with free as (
    select attempt_id from {{ ref('stg_sessions') }}
    where session_id in (select session_id from {{ ref('stg_sessions') }} where is_free)
),
attempts as (
    select attempts.*, prices.unit, prices.price_usd, prices.unit_seconds, prices.minimum_seconds,
        coalesce(prices.unit = 'audio_minute', false) as is_audio,
        case when coalesce(prices.unit = 'audio_minute', false) then 0
            else coalesce(shared.shared_micros, 0) end as shared_micros,
        free.attempt_id is not null as is_free
    from {{ ref('stg_attempts') }} as attempts
    left join {{ ref('stg_prices') }} as prices
        on attempts.backend = prices.backend
        and attempts.sku = prices.sku
        and attempts.started_at >= prices.valid_from
        and attempts.started_at < prices.valid_to
    left join {{ ref('int_overlaps') }} as shared
        on attempts.attempt_id = shared.attempt_id
    left join free on attempts.attempt_id = free.attempt_id
),
runs as (
    select *, case when run_micros = 0 or is_audio then day
        else (run_until - to_microseconds(1))::date end as last_day
    from attempts
),
-- most end on the day they began, so only the others are cut
days as (
    select * exclude (unit, price_usd, unit_seconds, minimum_seconds), day as on_day,
        unnest(generate_series(day, last_day, interval 1 day))::date as cut_day
    from runs where last_day > day
),
cut as (
    select days.* exclude (cut_day) replace (cut_day as on_day),
        greatest(0, date_diff('microseconds', started_at, cut_day::timestamp at time zone 'UTC')) as since,
        least(
            run_micros,
            date_diff('microseconds', started_at, (cut_day + 1)::timestamp at time zone 'UTC')
        ) as until,
        prices.unit, prices.price_usd, prices.unit_seconds, prices.minimum_seconds
    from days
    left join {{ ref('stg_prices') }} as prices
        on days.backend = prices.backend
        and prices.sku = days.sku
        -- prices change at midnight
        and cut_day::timestamp at time zone 'UTC' >= prices.valid_from
        and cut_day::timestamp at time zone 'UTC' < prices.valid_to
),
stretches as (
    select *, day as on_day, 0::bigint as since, run_micros as until from runs where last_day = day
    union all by name
    select * from cut
),
paid as (
    select * replace (greatest(since, shared_micros) as since, greatest(until, shared_micros) as until),
        case when is_audio then {{ paid_audio() }} else 0 end as paid_audio_seconds
    from stretches
)
select
    on_day as day, attempt_id, backend, sku, started_at, run_until, on_day = day as is_run_day,
    case
        when is_free then 0::decimal(18, 9)
        when spot_usd_per_hour is not null then ledger.cost_of_micros(until - since, spot_usd_per_hour, 3600)
        when unit is null and run_micros > 0 then ledger.share_usd(cost_usd, since, until, run_micros)
        when unit is null then cost_usd
        when unit <> 'audio_minute' then ledger.cost_of_micros(until - since, price_usd, unit_seconds)
        when paid_audio_seconds > 0 then ledger.cost_usd(
            greatest(paid_audio_seconds, coalesce(minimum_seconds, 0)), price_usd, unit_seconds
        )
        else 0::decimal(18, 9)
    end as run_usd,
    (until - since) / 1e6 as run_seconds, paid_audio_seconds,
    unit is not null or spot_usd_per_hour is not null or backend = 'none' as has_price,
    spot_usd_per_hour is not null as is_at_spot_price
from paid
