-- Grain: a job in a worker's life. Guarantee: every row of the ledger with a life that is paid by
-- time; impossible boots and jobs have length 0. is_warm: the worker is paid with or without a
-- job, because the backend keeps workers warm. is_endless: idle time has no timeout, as that of a
-- warm worker or a leased machine; any other worker that waits longer than its timeout was frozen
-- and resumed. session_id of a leased machine: the machine, whatever processes ran on it. is_free:
-- its provider took it back within its first hour, and bills nothing of its life.
with told as (
    select sessions.*,
        coalesce(models_ready_at, job_started_at) as ready_at,
        ledger.believed_micros(
            date_diff('microseconds', job_started_at, job_ended_at), {{ var('longest_run_seconds') }}
        ) as busy_micros,
        coalesce(warm_workers, 0) > 0 as is_warm,
        to_microseconds(ledger.micros(idle_timeout_seconds)::bigint) as timeout
    from {{ source('ledger', 'sessions') }} as sessions
)
select
    told.row_id, told.session_id, told.sequence, told.attempt_id,
    told.backend, told.sku, told.worker, told.gpu,
    case
        when container_started_at is null then job_started_at
        when ready_at > container_started_at + interval {{ var('longest_boot_seconds') }} second then ready_at
        else container_started_at
    end as began_at,
    ready_at, job_started_at, job_started_at + to_microseconds(busy_micros) as job_ended_at, busy_micros,
    idle_timeout_seconds, is_warm,
    is_warm or idle_timeout_seconds = 0 or instance_id is not null as is_endless, usd_per_hour,
    instance_id, instance_type, zone, is_spot, coalesce(is_free, false) as is_free, spot_usd_per_hour,
    job_started_at + to_microseconds(busy_micros) + timeout as may_wait_until
from told
-- a backend paid by the minute of audio has no boot or idle cost
anti join {{ ref('stg_prices') }} as prices
    on told.backend = prices.backend
    and told.sku = prices.sku
    and prices.unit = 'audio_minute'
