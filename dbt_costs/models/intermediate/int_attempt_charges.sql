-- Grain: an attempt and a day (UTC) on which it cost something; attempt_id is null where no job can
-- carry what a worker's life cost. Guarantee: a run that is paid by time is cut at midnight, as the
-- bills are; its count and its audio are on the day it began. Boot and idle of a life go to its jobs
-- in proportion to their run seconds. All to the last nano-dollar.
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
    from life_days join jobs using (session_id)
    where busy_of_life > 0 and busy_micros > 0
    group by 1, 2, 3
),
run_days as materialized (
    select * from {{ ref('int_run_days') }}
    where {{ in_piece('day') }} and {{ runs_near_piece('started_at', 'run_until') }}
),
charged as (
    select day, attempt_id, started_at, run_usd, run_seconds, 0::decimal(18, 9) as boot_usd,
        0::decimal(18, 9) as idle_usd, is_run_day
    from run_days
    union all by name
    select day, attempt_id, started_at, 0::decimal(18, 9) as run_usd, 0 as run_seconds, boot_usd,
        idle_usd, false as is_run_day
    from shares
),
-- a job in a life begins when its attempt does: by that moment most of the ledger is not read
attempts as materialized (
    select attempt_id, job_id, attempt, tenant, recording, backend, sku, model, language, status,
        ended_at, audio_seconds
    from {{ ref('stg_attempts') }} semi join charged using (attempt_id, started_at)
),
by_attempt as (
    select day, attempt_id, sum(run_usd)::decimal(18, 9) as run_usd, sum(run_seconds) as run_seconds,
        sum(boot_usd)::decimal(18, 9) as boot_usd, sum(idle_usd)::decimal(18, 9) as idle_usd,
        bool_or(is_run_day) as is_run_day
    from charged group by 1, 2
)
select
    by_attempt.day, by_attempt.attempt_id, attempts.job_id, attempts.tenant, attempts.recording,
    attempts.backend, attempts.sku, attempts.model, attempts.language, attempts.status,
    {{ waste_of('attempts', 'twice') }} as waste,
    by_attempt.is_run_day, by_attempt.run_usd, by_attempt.boot_usd, by_attempt.idle_usd,
    case when is_run_day then attempts.audio_seconds else 0 end as audio_seconds,
    by_attempt.run_seconds
from by_attempt
join attempts using (attempt_id)
left join {{ ref('int_done_twice') }} as twice
    on twice.tenant = attempts.tenant and twice.job_id = attempts.job_id
union all by name
-- lives without a second of work, and jobs whose attempt is not in the ledger
select
    life_days.day, null as attempt_id, null as job_id, 'unallocated' as tenant, null as recording,
    life_days.backend, life_days.sku, '' as model, '' as language, '' as status, '' as waste,
    false as is_run_day, 0::decimal(18, 9) as run_usd,
    (sum(life_days.boot_usd) - sum(coalesce(carried.boot_usd, 0)))::decimal(18, 9) as boot_usd,
    (sum(life_days.idle_usd) - sum(coalesce(carried.idle_usd, 0)))::decimal(18, 9) as idle_usd,
    0 as audio_seconds, 0 as run_seconds
from life_days
left join (
    select life_days.session_id, life_days.day,
        sum(ledger.share_usd(boot_usd, busy_until - busy_micros, busy_until, busy_of_life)) as boot_usd,
        sum(ledger.share_usd(idle_usd, busy_until - busy_micros, busy_until, busy_of_life)) as idle_usd
    from life_days join jobs using (session_id)
    semi join attempts using (attempt_id)
    where busy_of_life > 0 and busy_micros > 0
    group by 1, 2
) as carried on carried.session_id = life_days.session_id and carried.day = life_days.day
group by life_days.day, life_days.backend, life_days.sku
having sum(life_days.boot_usd + life_days.idle_usd)
    <> sum(coalesce(carried.boot_usd, 0) + coalesce(carried.idle_usd, 0))
