-- Boots and runs of the last 30 days that are longer than such a thing can be, or end before they
-- begin: a clock was set, or a machine slept. They cost nothing in the tables; look at the clock of
-- the worker, and whether its image is of this version.
{{ config(severity='warn') }}
with told as (
    select 'boot' as what, session_id as of_what, worker, job_started_at as began_at,
        date_diff('microseconds', container_started_at, models_ready_at) / 1e6 as seconds,
        {{ var('longest_boot_seconds') }} as longest
    from {{ source('ledger', 'sessions') }}
    union all by name
    select 'run' as what, attempt_id as of_what, worker, started_at as began_at, run_seconds as seconds,
        {{ var('longest_run_seconds') }} as longest
    from {{ source('ledger', 'attempts') }}
)
select what, of_what, worker, began_at, seconds from told
-- a container's start is known to a tick of its kernel
where (seconds > longest or seconds < -1) and began_at > {{ as_of() }} - interval 30 day
