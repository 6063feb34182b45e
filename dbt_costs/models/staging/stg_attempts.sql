-- Grain: an attempt. Guarantee: every row of the ledger, with the day (UTC) on which it began and
-- its run time by a monotonic clock; an impossible run time counts as 0.
with told as (
    select *,
        ledger.believed_micros(ledger.micros(run_seconds), {{ var('longest_run_seconds') }})
            as run_micros
    from {{ source('ledger', 'attempts') }}
)
select
    attempt_id, job_id, attempt, tenant, recording, backend, sku, model, status, error_type, worker,
    coalesce(language, '') as language, audio_seconds, speech_seconds,
    bought_audio_seconds, queue_seconds, start_seconds,
    run_micros, run_micros / 1e6 as run_seconds, case when run_micros > 0 then rtf end as rtf,
    usd_per_hour, spot_usd_per_hour, cost_usd, queued_at, started_at, ended_at,
    started_at + to_microseconds(run_micros) as run_until, started_at::date as day
from told
