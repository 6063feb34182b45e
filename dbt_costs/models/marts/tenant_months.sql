-- Grain: a tenant and a month (UTC). Guarantee: the rows of a month add up to daily_spend; the
-- cost of an hour of audio includes all costs allocated to the tenant, failed work and shared
-- costs too.
{{ config(materialized='table') }}
with summed as (
    select date_trunc('month', day)::date as month, tenant,
        sum(cost_usd) filter (category = 'run') as run_usd,
        sum(cost_usd) filter (category = 'failed_run') as failed_usd,
        sum(cost_usd) filter (category = 'boot') as boot_usd,
        sum(cost_usd) filter (category = 'idle') as idle_usd,
        sum(cost_usd) filter (category not in ('run', 'failed_run', 'boot', 'idle')) as shared_usd,
        sum(cost_usd) as cost_usd,
        coalesce(sum(audio_seconds) filter (category = 'run'), 0) as audio_seconds
    from {{ ref('daily_spend') }} group by 1, 2
)
select month, tenant, audio_seconds / 3600 as audio_hours,
    {% for name in ['run', 'failed', 'boot', 'idle', 'shared', 'cost'] %}
    coalesce({{ name }}_usd, 0)::decimal(38, 9) as {{ name }}_usd,
    {% endfor %}
    case when audio_seconds > 0 then
        ledger.from_nano(ledger.half_even(
            ledger.to_nano(cost_usd) * 3600000000, ledger.micros(audio_seconds)
        ))
    end as usd_per_audio_hour
from summed
