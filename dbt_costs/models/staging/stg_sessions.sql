-- Grain: a job in a worker's life. Guarantee: every row of the ledger whose life is paid by time.
select
    sessions.row_id, sessions.session_id, sessions.sequence, sessions.attempt_id,
    sessions.backend, sessions.sku, sessions.worker, sessions.gpu,
    coalesce(sessions.container_started_at, sessions.job_started_at) as began_at,
    coalesce(sessions.models_ready_at, sessions.job_started_at) as ready_at,
    sessions.job_started_at, sessions.job_ended_at,
    date_diff('microseconds', sessions.job_started_at, sessions.job_ended_at) as busy_micros,
    sessions.idle_timeout_seconds, sessions.usd_per_hour,
    sessions.job_ended_at
        + to_microseconds(ledger.micros(sessions.idle_timeout_seconds)::bigint) as may_wait_until
from {{ source('ledger', 'sessions') }} as sessions
-- what is paid by the minute of audio costs nothing while it boots or waits
anti join {{ ref('stg_prices') }} as prices
    on prices.backend = sessions.backend
    and prices.sku = sessions.sku
    and prices.unit = 'audio_minute'
