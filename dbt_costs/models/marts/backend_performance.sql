-- Grain: a day (UTC), backend and sku. Guarantee: every attempt of the day that a worker could
-- take; RTF covers completed attempts, unweighted; audio transcribed twice counts once, and with its
-- words: a job that only finds speakers has none.
{{ by_day() }}
with attempts as (
    select attempts.*, {{ waste_of('attempts', 'twice') }} as waste
    from {{ ref('stg_attempts') }} as attempts
    left join {{ ref('int_done_twice') }} as twice
        on attempts.tenant = twice.tenant and attempts.job_id = twice.job_id
    where backend <> 'none' and {{ in_piece('day', 'started_at') }}
),
cold as (
    select job_started_at::date as day, backend, sku, count(*) as cold_starts,
        quantile_cont(greatest(0, epoch(ready_at) - epoch(began_at)), 0.5) as boot_seconds_p50,
        quantile_cont(greatest(0, epoch(ready_at) - epoch(began_at)), 0.95) as boot_seconds_p95
    from {{ ref('stg_sessions') }}
    where sequence = 1 and ready_at > began_at and {{ in_piece('job_started_at::date', 'job_started_at') }}
    group by 1, 2, 3
),
measured as (
    select
        day, backend, sku, count(*) as attempts,
        count(*) filter (status = 'done') as done,
        count(*) filter (status in ('failed', 'lost')) as failed,
        count(*) filter (status = 'stopped') as preempted,
        count(*) filter (status = 'buried') as never_began,
        coalesce(sum({{ audio_of('attempts') }}) filter (waste = ''), 0) / 3600 as audio_hours,
        quantile_cont(rtf, 0.5) filter (rtf is not null) as rtf_p50,
        quantile_cont(rtf, 0.95) filter (rtf is not null) as rtf_p95,
        quantile_cont(rtf, 0.99) filter (rtf is not null) as rtf_p99,
        quantile_cont(start_seconds, 0.5) as queue_seconds_p50,
        quantile_cont(start_seconds, 0.95) as queue_seconds_p95
    from attempts group by 1, 2, 3
)
select
    measured.day, measured.backend, measured.sku, attempts, done, failed, preempted, never_began,
    failed::double / attempts as failure_rate, audio_hours, rtf_p50, rtf_p95, rtf_p99,
    queue_seconds_p50, queue_seconds_p95,
    coalesce(cold_starts, 0) as cold_starts, boot_seconds_p50, boot_seconds_p95
from measured left join cold using (day, backend, sku)
