-- Grain: an attempt and a day (UTC) with a cost; attempt_id is null for a worker's life without a
-- job to carry its cost. Guarantee: a run that is paid by time is cut at midnight, as bills are;
-- its count and its audio belong to the day it began. Audio counts with the words, so a job that
-- only finds speakers has none; paid_audio_seconds: what an API bills. Jobs share the boot and idle
-- time of their worker's life in proportion to their run seconds. All amounts are exact to the
-- nano-dollar. is_by_assumed_rate: an assumed exchange rate converts the price.
-- spot_run_seconds: run seconds with the price of their zone's spot history.
{{ by_day() }}
with life_days as (
    select * from {{ ref('int_life_days') }} where {{ in_piece('day') }}
),
jobs as (
    select session_id, attempt_id, job_started_at as started_at, busy_micros,
        sum(busy_micros) over (
            partition by session_id order by sequence, row_id rows unbounded preceding
        ) as busy_until,
        sum(busy_micros) over (partition by session_id) as busy_of_life
    from {{ ref('stg_sessions') }}
    semi join life_days using (session_id)
    where {{ in_lives_near_piece('job_started_at') }}
),
shares as (
    select life_days.day, jobs.attempt_id, jobs.started_at,
        sum(ledger.share_usd(
            boot_usd, busy_until - busy_micros, busy_until, busy_of_life
        ))::decimal(18, 9) as boot_usd,
        sum(ledger.share_usd(
            idle_usd, busy_until - busy_micros, busy_until, busy_of_life
        ))::decimal(18, 9) as idle_usd
    from life_days inner join jobs using (session_id)
    where busy_of_life > 0 and busy_micros > 0
    group by 1, 2, 3
),
run_days as materialized (
    select * from {{ ref('int_run_days') }}
    where {{ in_piece('day') }} and {{ runs_near_piece('started_at', 'run_until') }}
),
charged as (
    select day, attempt_id, started_at, run_usd, run_seconds, paid_audio_seconds,
        0::decimal(18, 9) as boot_usd, 0::decimal(18, 9) as idle_usd, is_run_day,
        case when is_at_spot_price then run_seconds else 0 end as spot_run_seconds
    from run_days
    union all by name
    select day, attempt_id, started_at, 0::decimal(18, 9) as run_usd, 0 as run_seconds,
        0 as paid_audio_seconds, boot_usd, idle_usd, false as is_run_day, 0 as spot_run_seconds
    from shares
),
-- a job in a life begins with its attempt; filtering by that time skips most of the ledger
attempts as materialized (
    select attempt_id, job_id, attempt, tenant, recording, backend, sku, model, language, status,
        ended_at, audio_seconds
    from {{ ref('stg_attempts') }} semi join charged using (attempt_id, started_at)
),
by_attempt as (
    select day, attempt_id, sum(run_usd)::decimal(18, 9) as run_usd, sum(run_seconds) as run_seconds,
        sum(paid_audio_seconds) as paid_audio_seconds,
        sum(boot_usd)::decimal(18, 9) as boot_usd, sum(idle_usd)::decimal(18, 9) as idle_usd,
        bool_or(is_run_day) as is_run_day, sum(spot_run_seconds) as spot_run_seconds
    from charged group by 1, 2
),
found as (
    select
        by_attempt.day, by_attempt.attempt_id, attempts.job_id, attempts.tenant, attempts.recording,
        attempts.backend, attempts.sku, attempts.model, attempts.language, attempts.status,
        {{ waste_of('attempts', 'twice') }} as waste,
        by_attempt.is_run_day, by_attempt.run_usd, by_attempt.boot_usd, by_attempt.idle_usd,
        case when is_run_day then {{ audio_of('attempts') }} else 0 end as audio_seconds,
        coalesce(by_attempt.paid_audio_seconds, 0) as paid_audio_seconds,
        by_attempt.run_seconds, by_attempt.spot_run_seconds
    from by_attempt
    inner join attempts using (attempt_id)
    left join {{ ref('int_done_twice') }} as twice
        on attempts.tenant = twice.tenant and attempts.job_id = twice.job_id
    union all by name
    -- lives without any work, and jobs without an attempt in the ledger
    select
        life_days.day, null as attempt_id, null as job_id, 'unallocated' as tenant, null as recording,
        life_days.backend, life_days.sku, '' as model, '' as language, '' as status, '' as waste,
        false as is_run_day, 0::decimal(18, 9) as run_usd,
        (sum(life_days.boot_usd) - sum(coalesce(taken.boot_usd, 0)))::decimal(18, 9) as boot_usd,
        (sum(life_days.idle_usd) - sum(coalesce(taken.idle_usd, 0)))::decimal(18, 9) as idle_usd,
        0 as audio_seconds, 0 as paid_audio_seconds, 0 as run_seconds, 0 as spot_run_seconds
    from life_days
    left join (
        select lived.session_id, lived.day,
            sum(ledger.share_usd(boot_usd, busy_until - busy_micros, busy_until, busy_of_life)) as boot_usd,
            sum(ledger.share_usd(idle_usd, busy_until - busy_micros, busy_until, busy_of_life)) as idle_usd
        from life_days as lived inner join jobs using (session_id)
        semi join attempts using (attempt_id)
        where busy_of_life > 0 and busy_micros > 0
        group by 1, 2
    ) as taken on life_days.session_id = taken.session_id and life_days.day = taken.day
    group by life_days.day, life_days.backend, life_days.sku
    having sum(life_days.boot_usd + life_days.idle_usd)
        <> sum(coalesce(taken.boot_usd, 0) + coalesce(taken.idle_usd, 0))
)
select found.*, assumed.sku is not null as is_by_assumed_rate
from found
-- prices and exchange rates change at midnight
left join (select * from {{ ref('stg_prices') }} where is_by_assumed_rate) as assumed
    on found.backend = assumed.backend
    and found.sku = assumed.sku
    and found.day::timestamp at time zone 'UTC' >= assumed.valid_from
    and found.day::timestamp at time zone 'UTC' < assumed.valid_to
