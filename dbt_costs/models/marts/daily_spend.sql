-- Grain: a day (UTC), tenant, backend, model and category. Guarantee: the rows of a day and backend
-- add up to its bill where there is one of the whole day, else to what was measured and what is
-- billed beside machines; nothing is dropped.
{{ by_day() }}
with charges as (
    select * from {{ ref('int_attempt_charges') }}
    where backend <> 'none' and {{ in_piece('day') }}
),
by_kind as (
    select day, tenant, backend, model,
        {{ run_category() }} as run_category,
        sum(run_usd)::decimal(38, 9) as run_usd, sum(boot_usd)::decimal(38, 9) as boot_usd,
        sum(idle_usd)::decimal(38, 9) as idle_usd,
        count(*) filter (is_run_day) as attempts,
        sum(audio_seconds) as audio_seconds, sum(run_seconds) as run_seconds
    from charges group by 1, 2, 3, 4, 5
),
totals as (
    select * from {{ ref('int_day_totals') }} where {{ in_piece('day') }}
),
parts as (
    select day, tenant, backend, model, run_category as category,
        run_usd as cost_usd, attempts, audio_seconds, run_seconds
    from by_kind where attempts > 0 or run_usd <> 0 or run_seconds > 0 -- begun the day before
    union all by name
    select day, tenant, backend, model, 'boot' as category, boot_usd as cost_usd from by_kind
    where boot_usd <> 0
    union all by name
    select day, tenant, backend, model, 'idle' as category, idle_usd as cost_usd from by_kind
    where idle_usd <> 0
    {% for name in ['storage', 'network', 'tax', 'credit', 'other'] %}
    union all by name
    select day, 'unallocated' as tenant, backend, '' as model, '{{ name }}' as category,
        {{ name }}_usd as cost_usd
    from totals where {{ name }}_usd <> 0
    {% endfor %}
    union all by name
    select day, 'unallocated' as tenant, backend, '' as model, 'unexplained' as category,
        compute_usd - run_usd - boot_usd - idle_usd as cost_usd
    from totals where is_billed and compute_usd <> run_usd + boot_usd + idle_usd
)
select
    day, tenant, backend, model, category,
    sum(cost_usd)::decimal(38, 9) as cost_usd,
    coalesce(sum(attempts), 0)::bigint as attempts,
    coalesce(sum(audio_seconds), 0)::double as audio_seconds,
    coalesce(sum(run_seconds), 0)::double as run_seconds
from parts group by 1, 2, 3, 4, 5
