-- Boots and runs of the last 30 days that are impossibly long, or end before they begin: a clock
-- was set, or a machine slept. They cost nothing in the tables. Check the worker's clock, and
-- that its image matches this version.
{{ config(severity='warn') }}
with told as (
    select 'boot' as what, session_id as of_what, worker, job_started_at as began_at,
        date_diff('microseconds', container_started_at, models_ready_at) / 1e6 as seconds,
        {{ var('longest_boot_seconds') }} as longest
    from {{ source('ledger', 'sessions') }}
    -- a later process on a leased machine says when that process was ready
    qualify instance_id is null
        or row_number() over (partition by session_id order by sequence, row_id) = 1
    union all by name
    select 'run' as what, attempt_id as of_what, worker, started_at as began_at, run_seconds as seconds,
        {{ var('longest_run_seconds') }} as longest
    from {{ source('ledger', 'attempts') }}
)
select what, of_what, worker, began_at, seconds from told
-- a container's start is known only to a kernel tick
where (seconds > longest or seconds < -1) and began_at > {{ as_of() }} - interval 30 day
