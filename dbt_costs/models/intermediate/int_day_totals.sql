-- Grain: a day (UTC) and a backend, for every day with measured or billed costs. Guarantee:
-- machines cost what their bill says if the bill is complete: it was imported after the day
-- ended, and covers the day's last hour or is no lower than the measured cost. Otherwise they
-- cost what was measured. Other billed costs always count. The disks and addresses of leased
-- machines count as measured (int_add_on_days) until a complete bill replaces them; before, a
-- higher amount on the bill counts instead. assumed_usd: the part of the bill
-- converted at an assumed rate.
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
        sum(amount_usd) filter (category = '{{ name }}')::decimal(38, 9)
            as {{ name }}_usd{{ '' if loop.last else ',' }}
        {% endfor %}
    from {{ ref('int_invoice_days') }}
    group by 1, 2
),
added as (
    select day, backend,
        sum(usd) filter (category = 'storage')::decimal(38, 9) as disk_usd,
        sum(usd) filter (category = 'network')::decimal(38, 9) as address_usd
    from {{ ref('int_add_on_days') }} group by 1, 2
),
known as (
    select day, backend, coalesce(disk_usd, 0)::decimal(38, 9) as disk_usd,
        coalesce(address_usd, 0)::decimal(38, 9) as address_usd,
        coalesce(is_read_after and (
            is_told_whole
            or compute_usd >= coalesce(run_usd, 0) + coalesce(boot_usd, 0) + coalesce(idle_usd, 0)
        ), false) as is_billed,
        coalesce(assumed_usd, 0)::decimal(38, 9) as assumed_usd,
        {% for name in ['run', 'boot', 'idle', 'compute'] + beside %}
        coalesce({{ name }}_usd, 0)::decimal(38, 9) as {{ name }}_usd{{ '' if loop.last else ',' }}
        {% endfor %}
    from measured full join billed using (day, backend) full join added using (day, backend)
),
-- a correction below zero counts where nothing was measured
sided as (
    select *,
        not is_billed and disk_usd > greatest(storage_usd, 0) as is_storage_measured,
        not is_billed and address_usd > greatest(network_usd, 0) as is_network_measured
    from known
),
counted as (
    select * exclude (disk_usd, address_usd) replace (
            case when is_storage_measured then disk_usd else storage_usd end as storage_usd,
            case when is_network_measured then address_usd else network_usd end as network_usd
        )
    from sided
)
select *,
    (case when is_billed then compute_usd else run_usd + boot_usd + idle_usd end
        {% for name in beside %}
        + {{ name }}_usd
        {% endfor %}
    )::decimal(38, 9) as cost_usd
from counted
