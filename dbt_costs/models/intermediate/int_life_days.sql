-- Grain: a worker's life and a day (UTC) with paid boot or idle time. Guarantee: boot is from the
-- worker's start until it is ready; idle is the time between jobs, and the timeout after the last
-- one unless the worker died with it. A gap longer than the timeout is paid up to the timeout,
-- since the worker was frozen and resumed. Warm workers are paid for the whole gap, at the active
-- price of their sku if the book has one; leased machines, too, at the spot price of their zone if
-- its history is known. Each stretch is cut at midnight and has the price of its day. A machine
-- that EC2 took back within its first hour is free.
{{ by_day() }}
with near as (
    select * from {{ ref('stg_sessions') }} where {{ in_lives_near_piece('job_started_at') }}
),
-- a worker that died or was preempted did not wait for another job
deaths as (
    select attempt_id, true as died from {{ ref('stg_attempts') }}
    where status in ('lost', 'stopped') and {{ in_lives_near_piece('started_at') }}
),
lives as (
    -- as reported by its first job, since a clock may have been set later
    select session_id, arg_min(began_at, (sequence, row_id)) as life_began_at,
        arg_min(ready_at, (sequence, row_id)) as life_ready_at,
        arg_max(coalesce(died, false), (job_ended_at, sequence, row_id)) as died_last,
        bool_or(is_free) as is_free
    from near left join deaths using (attempt_id)
    group by 1
    having {{ near_piece('min(began_at)', 'max(may_wait_until)') }}
),
jobs as (
    select
        session_id, backend, sku, usd_per_hour, spot_usd_per_hour, lives.is_free, job_started_at, is_endless,
        case when is_warm then 'warm' else 'idle' end as waits,
        to_microseconds(ledger.micros(idle_timeout_seconds)::bigint) as timeout,
        life_began_at, life_ready_at, died_last,
        max(job_ended_at) over until_here as busy_until,
        lead(job_started_at) over life_in_order as next_started_at,
        row_number() over life_in_order as place
    from near inner join lives using (session_id)
    window
        life_in_order as (partition by session_id order by job_started_at, sequence, row_id),
        until_here as (
            partition by session_id order by job_started_at, sequence, row_id
            rows unbounded preceding
        )
),
stretches as (
    select session_id, backend, sku, usd_per_hour, spot_usd_per_hour, is_free, 'boot' as kind,
        life_began_at as since, greatest(life_began_at, life_ready_at) as until
    from jobs where place = 1
    union all by name
    select session_id, backend, sku, usd_per_hour, spot_usd_per_hour, is_free, waits as kind,
        greatest(life_began_at, life_ready_at) as since,
        case when is_endless then job_started_at
            else least(job_started_at, greatest(life_began_at, life_ready_at) + timeout) end as until
    from jobs where place = 1
    union all by name
    select session_id, backend, sku, usd_per_hour, spot_usd_per_hour, is_free, waits as kind,
        busy_until as since,
        case
            when next_started_at is null and died_last then busy_until
            when next_started_at is null then busy_until + timeout
            when is_endless then next_started_at
            else least(next_started_at, busy_until + timeout)
        end as until
    from jobs
),
-- most end on the day they began, so only the others are cut
cut as (
    select * exclude (since, until), since::date as day, since,
        least(until, ((since::date + 1)::timestamp at time zone 'UTC')) as until
    from stretches where until > since
    union all by name
    select * exclude (since, until, day), day,
        (day::timestamp at time zone 'UTC') as since,
        least(until, ((day + 1)::timestamp at time zone 'UTC')) as until
    from (
        select *, unnest(generate_series(since::date + 1, until::date, interval 1 day))::date as day
        from stretches where until::date > since::date
    )
),
priced as (
    select cut.*, date_diff('microseconds', since, until) as micros,
        case when spot_usd_per_hour is not null then spot_usd_per_hour
            when kind = 'warm' then coalesce(prices.active_price_usd, prices.price_usd)
            else prices.price_usd end as price_usd,
        case when spot_usd_per_hour is not null then 3600 else prices.unit_seconds end as unit_seconds
    from cut
    left join {{ ref('stg_prices') }} as prices
        on cut.backend = prices.backend
        and cut.sku = prices.sku
        and cut.since >= prices.valid_from
        and cut.since < prices.valid_to
    where until > since
),
charged as (
    select *,
        case when is_free then 0::decimal(18, 9) else ledger.cost_of_micros(
            micros, coalesce(price_usd, usd_per_hour), coalesce(unit_seconds, 3600)
        ) end as usd
    from priced
)
select
    day, session_id, backend, sku,
    coalesce(sum(micros) filter (kind = 'boot'), 0)::bigint as boot_micros,
    coalesce(sum(micros) filter (kind <> 'boot'), 0)::bigint as idle_micros,
    coalesce(sum(usd) filter (kind = 'boot'), 0)::decimal(18, 9) as boot_usd,
    coalesce(sum(usd) filter (kind <> 'boot'), 0)::decimal(18, 9) as idle_usd
from charged
where {{ in_piece('day') }}
group by day, session_id, backend, sku
