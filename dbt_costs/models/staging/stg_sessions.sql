-- Grain: a job in a worker's life. Guarantee: every row of the ledger whose life is paid by time;
-- boots and jobs that cannot be have no length. is_warm: its worker is paid whether it has a job or
-- not, since warm workers were asked for. is_endless: nothing ends its waiting; any other that waits
-- longer than its timeout was frozen, and resumed.
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
    idle_timeout_seconds, is_warm, is_warm or idle_timeout_seconds = 0 as is_endless, usd_per_hour,
    job_started_at + to_microseconds(busy_micros) + timeout as may_wait_until
from told
-- what is paid by the minute of audio costs nothing while it boots or waits
anti join {{ ref('stg_prices') }} as prices
    on prices.backend = told.backend
    and prices.sku = told.sku
    and prices.unit = 'audio_minute'
