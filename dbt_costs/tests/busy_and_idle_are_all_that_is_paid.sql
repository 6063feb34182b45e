-- Of each life: boot, jobs and idle fill the time from its start to its end, which is that of its
-- last job where it died with it. Lives with jobs at the same time are left out: their jobs' seconds
-- are more than passed.
with deaths as (
    select attempt_id, true as died from {{ ref('stg_attempts') }}
    where status in ('lost', 'stopped')
),
lives as (
    select session_id, sum(busy_micros) as busy,
        date_diff('microseconds', min(began_at), max(
            job_ended_at
        )) + case when arg_max(coalesce(died, false), (job_ended_at, sequence, row_id)) then 0
            else ledger.micros(max(idle_timeout_seconds)) end as paid
    from {{ ref('stg_sessions') }} as jobs
    left join deaths using (attempt_id)
    where not exists (
        from {{ ref('stg_sessions') }} as other
        where other.session_id = jobs.session_id and other.row_id <> jobs.row_id
          and other.job_started_at < jobs.job_ended_at and other.job_ended_at > jobs.job_started_at
    )
    group by 1
),
beside as (
    select session_id, sum(boot_micros + idle_micros) as micros
    from {{ ref('int_life_days') }} group by 1
)
select * from lives left join beside using (session_id)
where busy + coalesce(micros, 0) <> paid
