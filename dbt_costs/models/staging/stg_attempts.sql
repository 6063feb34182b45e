-- Grain: an attempt. Guarantee: every row of the ledger, with its day (UTC) and the moment whose
-- price it has: when it was ordered, as in pipelines/billing.
select
    attempt_id, job_id, attempt, tenant, recording, backend, sku, model, status, error_type, worker,
    coalesce(language, '') as language, audio_seconds, speech_seconds, queue_seconds, start_seconds,
    run_seconds, rtf, usd_per_hour, cost_usd, queued_at,
    queued_at + to_microseconds(ledger.micros(queue_seconds)::bigint) as priced_at,
    started_at, ended_at, started_at::date as day
from {{ source('ledger', 'attempts') }}
