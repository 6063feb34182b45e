-- Grain: a day (UTC), tenant, backend and kind of waste. Guarantee: a part of daily_spend:
-- failed, lost, preempted and duplicate runs, cold starts, and idle workers.
{{ by_day() }}
with charges as (
    select * from {{ ref('int_attempt_charges') }}
    where backend <> 'none' and {{ in_piece('day') }}
),
parts as (
    select day, tenant, backend, waste as kind, run_usd as cost_usd, run_seconds,
        is_run_day::integer as attempts
    from charges where waste <> '' and (is_run_day or run_usd <> 0 or run_seconds > 0)
    union all by name
    select day, tenant, backend, 'cold' as kind, boot_usd as cost_usd from charges where boot_usd <> 0
    union all by name
    select day, tenant, backend, 'idle' as kind, idle_usd as cost_usd from charges where idle_usd <> 0
)
select
    day, tenant, backend, kind, sum(cost_usd)::decimal(38, 9) as cost_usd,
    coalesce(sum(attempts), 0)::bigint as attempts,
    coalesce(sum(run_seconds), 0)::double as run_seconds
from parts group by 1, 2, 3, 4
