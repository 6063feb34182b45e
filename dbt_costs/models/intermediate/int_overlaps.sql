-- Grain: an attempt that began while another job of the same worker's life was running.
-- Guarantee: the seconds from its start that the other job already pays for, since a worker is
-- billed once whatever it does.
{{ by_day() }}
with jobs as (
    select attempt_id, job_started_at, busy_micros,
        max(job_ended_at) over (
            partition by session_id order by job_started_at, sequence, row_id
            rows between unbounded preceding and 1 preceding
        ) as busy_until
    from {{ ref('stg_sessions') }} where {{ in_lives_near_piece('job_started_at') }}
)
select job_started_at::date as day, attempt_id,
    least(busy_micros, date_diff('microseconds', job_started_at, busy_until))::bigint as shared_micros
from jobs
where busy_until > job_started_at and busy_micros > 0 and {{ in_piece('job_started_at::date') }}
