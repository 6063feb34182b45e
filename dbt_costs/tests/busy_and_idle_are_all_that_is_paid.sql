-- For each worker life, boot, jobs and idle time fill the time from its start to its end, which
-- is the end of its last job if it died with it. They are less only if the worker was frozen
-- between two jobs for longer than its timeout. Lives with concurrent jobs are left out, since
-- their jobs' seconds exceed the elapsed time.
with deaths as (
    select attempt_id, true as died from {{ ref('stg_attempts') }}
    where status in ('lost', 'stopped')
),
-- what the row of the job before says of waiting holds until the next: settings may change in a life
jobs as (
    select *, greatest(began_at, coalesce(lag(job_ended_at) over life, ready_at)) as waited_since,
        coalesce(lag(is_endless) over life, is_endless) as waits_endlessly,
        ledger.micros(coalesce(lag(idle_timeout_seconds) over life, idle_timeout_seconds))::bigint
            as waits_at_most
    from {{ ref('stg_sessions') }} left join deaths using (attempt_id)
    window life as (partition by session_id order by job_started_at, sequence, row_id)
),
lives as (
    select session_id, sum(busy_micros) as busy,
        bool_or(not waits_endlessly and job_started_at
            > waited_since + to_microseconds(waits_at_most)) as was_frozen,
        date_diff('microseconds', arg_min(began_at, (sequence, row_id)), max(
            job_ended_at
        )) + case when arg_max(coalesce(died, false), (job_ended_at, sequence, row_id)) then 0
            else ledger.micros(arg_max(
                idle_timeout_seconds, (job_started_at, sequence, row_id)
            )) end as paid
    from jobs
    where session_id not in (
        select session_id from {{ ref('stg_sessions') }}
        semi join {{ ref('int_overlaps') }} using (attempt_id)
    )
    group by 1
),
beside as (
    select session_id, sum(boot_micros + idle_micros) as micros
    from {{ ref('int_life_days') }} group by 1
)
select * from lives left join beside using (session_id)
where case when was_frozen then busy + coalesce(micros, 0) > paid
    else busy + coalesce(micros, 0) <> paid end
