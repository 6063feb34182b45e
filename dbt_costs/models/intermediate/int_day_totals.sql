-- Grain: a day (UTC) and a backend; every day of which anything was measured or billed. Guarantee:
-- machines cost what their bill says where it is of the whole day, which is one that was read after
-- the day was over and tells of its last hour, or of later ones, or has as much as was measured
-- already; else what was measured. What is billed beside machines counts either way. assumed_usd: of
-- the bill, by a rate that is an assumption.
{% set beside = ['storage', 'network', 'tax', 'credit', 'other'] %}
with measured as (
    select day, backend,
        sum(run_usd)::decimal(38, 9) as run_usd, sum(boot_usd)::decimal(38, 9) as boot_usd,
        sum(idle_usd)::decimal(38, 9) as idle_usd
    from {{ ref('int_attempt_charges') }}
    where backend <> 'none'
    group by 1, 2
),
billed as (
    select day, backend,
        max(imported_at) filter (category = 'compute')
            >= ((day + 1)::timestamp at time zone 'UTC') as is_read_after,
        coalesce(
            min(told_until) filter (category = 'compute')
                >= ((day + 1)::timestamp at time zone 'UTC'),
            true
        ) as is_told_whole,
        sum(amount_usd) filter (starts_with(rate_source, 'assumed'))::decimal(38, 9) as assumed_usd,
        {% for name in ['compute'] + beside %}
        sum(amount_usd) filter (category = '{{ name }}')::decimal(38, 9) as {{ name }}_usd{{ '' if loop.last else ',' }}
        {% endfor %}
    from {{ ref('int_invoice_days') }}
    group by 1, 2
),
known as (
    select day, backend,
        coalesce(is_read_after and (
            is_told_whole
            or compute_usd >= coalesce(run_usd, 0) + coalesce(boot_usd, 0) + coalesce(idle_usd, 0)
        ), false) as is_billed,
        coalesce(assumed_usd, 0)::decimal(38, 9) as assumed_usd,
        {% for name in ['run', 'boot', 'idle', 'compute'] + beside %}
        coalesce({{ name }}_usd, 0)::decimal(38, 9) as {{ name }}_usd{{ '' if loop.last else ',' }}
        {% endfor %}
    from measured full join billed using (day, backend)
)
select *,
    (case when is_billed then compute_usd else run_usd + boot_usd + idle_usd end
        {%- for name in beside %} + {{ name }}_usd{% endfor %})::decimal(38, 9) as cost_usd
from known
