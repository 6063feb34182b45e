-- Grain: a day (UTC), tenant, cost center, project, backend and category. Guarantee: the rows of
-- a day, tenant and backend add up to those of daily_spend; costs without a recording have the
-- tags of their tenant, or none.
{{ config(materialized='table') }}
with defaults as (
    select tenant, coalesce(cost_center, '') as cost_center, coalesce(project, '') as project
    from {{ ref('stg_tag_rules') }} where pattern is null
),
charges as (
    select charges.day, charges.tenant, charges.backend,
        {{ run_category() }} as run_category,
        coalesce(tags.cost_center, '') as cost_center, coalesce(tags.project, '') as project,
        sum(run_usd)::decimal(38, 9) as run_usd, sum(boot_usd)::decimal(38, 9) as boot_usd,
        sum(idle_usd)::decimal(38, 9) as idle_usd, count(*) filter (is_run_day) as attempts,
        count(*) filter (is_run_day and waste <> '') as wasted_attempts,
        coalesce(sum(run_usd) filter (waste <> ''), 0)::decimal(38, 9) as wasted_usd,
        sum(audio_seconds) as audio_seconds, sum(run_seconds) as run_seconds
    from {{ ref('int_attempt_charges') }} as charges
    left join {{ ref('recording_tags') }} as tags
        on charges.tenant = tags.tenant and charges.recording = tags.recording
    where backend <> 'none'
    group by 1, 2, 3, 4, 5, 6
),
parts as (
    select day, tenant, cost_center, project, backend,
        run_category as category,
        run_usd as cost_usd, attempts, wasted_attempts, wasted_usd, audio_seconds, run_seconds
    from charges where attempts > 0 or run_usd <> 0 or run_seconds > 0
    union all by name
    select day, tenant, cost_center, project, backend, 'boot' as category, boot_usd as cost_usd
    from charges where boot_usd <> 0
    union all by name
    select day, tenant, cost_center, project, backend, 'idle' as category, idle_usd as cost_usd
    from charges where idle_usd <> 0
    union all by name
    -- billed costs, allocated as in daily_spend
    select day, spend.tenant, coalesce(defaults.cost_center, '') as cost_center,
        coalesce(defaults.project, '') as project, backend, category, cost_usd
    from {{ ref('daily_spend') }} as spend left join defaults on spend.tenant = defaults.tenant
    where category not in ('run', 'failed_run', 'boot', 'idle')
)
select
    day, tenant, cost_center, project, backend, category,
    sum(cost_usd)::decimal(38, 9) as cost_usd,
    coalesce(sum(attempts), 0)::bigint as attempts,
    coalesce(sum(wasted_attempts), 0)::bigint as wasted_attempts,
    coalesce(sum(wasted_usd), 0)::decimal(38, 9) as wasted_usd,
    coalesce(sum(audio_seconds), 0)::double as audio_seconds,
    coalesce(sum(run_seconds), 0)::double as run_seconds
from parts group by 1, 2, 3, 4, 5, 6
