-- Grain: a day (UTC), tenant, backend, model and category. Guarantee: the rows of a day and
-- backend add up to its bill if there is a complete one, otherwise to the measured cost and other
-- billed costs; nothing is dropped. Billed costs other than machines go to the tenants that used
-- the backend on that day, as SHARED_COSTS_BY says, and are unallocated if no tenant did.
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
        sum(audio_seconds) as audio_seconds, sum(run_seconds) as run_seconds,
        bool_or(is_by_assumed_rate) as has_assumed_price
    from charges group by 1, 2, 3, 4, 5
),
totals as (
    select * from {{ ref('int_day_totals') }} where {{ in_piece('day') }}
),
beside as (
    {% for name in ['storage', 'network', 'tax', 'credit', 'other'] %}
    select day, backend, '{{ name }}' as category, {{ name }}_usd as usd from totals
    where {{ name }}_usd <> 0
    {{ 'union all' if not loop.last }}
    {% endfor %}
),
weights as (
    select day, backend, tenant,
        sum({{ {
            'cost': 'ledger.to_nano(run_usd + boot_usd + idle_usd)',
            'audio': "case when run_category = 'run' then ledger.micros(audio_seconds) else 0 end",
        }.get(var('shared_costs_by'), '0') }})::hugeint as weight
    from by_kind where tenant <> 'unallocated' group by 1, 2, 3
),
marks as (
    select *, sum(weight) over (
            partition by day, backend order by tenant rows unbounded preceding
        )::hugeint as until,
        sum(weight) over (partition by day, backend)::hugeint as whole
    from weights where weight > 0
),
shared as (
    select beside.day, coalesce(marks.tenant, 'unallocated') as tenant, beside.backend, beside.category,
        coalesce(ledger.share_usd(usd, until - weight, until, whole), usd) as usd
    from beside left join marks using (day, backend)
),
parts as (
    select day, tenant, backend, model, run_category as category,
        run_usd as cost_usd, attempts, audio_seconds, run_seconds, has_assumed_price
    from by_kind where attempts > 0 or run_usd <> 0 or run_seconds > 0 -- began the day before
    union all by name
    select day, tenant, backend, model, 'boot' as category, boot_usd as cost_usd, has_assumed_price
    from by_kind
    where boot_usd <> 0
    union all by name
    select day, tenant, backend, model, 'idle' as category, idle_usd as cost_usd, has_assumed_price
    from by_kind
    where idle_usd <> 0
    union all by name
    select day, tenant, backend, '' as model, category, usd as cost_usd from shared
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
    coalesce(sum(run_seconds), 0)::double as run_seconds,
    coalesce(bool_or(has_assumed_price), false) or coalesce(bool_or(
        category not in ('run', 'failed_run', 'boot', 'idle') and assumed_of_day <> 0
    ), false) as is_by_assumed_rate
from parts
left join (select day, backend, assumed_usd as assumed_of_day from totals) using (day, backend)
group by 1, 2, 3, 4, 5
