-- Grain: a day (UTC) and a backend. Guarantee: what was measured there, and what was billed, where
-- a bill is there; every day of either is here.
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
        sum(amount_usd)::decimal(38, 9) as billed_usd,
        sum(amount_usd) filter (category = 'compute')::decimal(38, 9) as compute_usd,
        sum(amount_usd) filter (category = 'storage')::decimal(38, 9) as storage_usd,
        sum(amount_usd) filter (category = 'network')::decimal(38, 9) as network_usd,
        sum(amount_usd) filter (category = 'tax')::decimal(38, 9) as tax_usd,
        sum(amount_usd) filter (category = 'credit')::decimal(38, 9) as credit_usd,
        sum(amount_usd) filter (category = 'other')::decimal(38, 9) as other_usd
    from {{ ref('int_invoice_days') }}
    group by 1, 2
)
select
    day, backend, billed_usd is not null as is_billed, billed_usd,
    {% for name in ['run', 'boot', 'idle', 'storage', 'network', 'tax', 'credit', 'other', 'compute'] %}
    coalesce({{ name }}_usd, 0)::decimal(38, 9) as {{ name }}_usd{{ '' if loop.last else ',' }}
    {% endfor %}
from measured full join billed using (day, backend)
