-- Grain: a scope ('all', or a backend) and a complete day (UTC). Guarantee: a robust z of its spend
-- against the 28 days before, where at least 7 are known; the MAD has a floor (5 % of the median,
-- one cent), so that a quiet month makes no alarm of pennies.
{{ config(materialized='table') }}
with spend as (
    select backend as scope, day, sum(cost_usd)::decimal(38, 9) as usd
    from {{ ref('daily_spend') }} group by 1, 2
    union all
    select 'all' as scope, day, sum(cost_usd)::decimal(38, 9) as usd
    from {{ ref('daily_spend') }} group by 2
),
calendar as (
    select scope, unnest(generate_series(
        min(day), {{ as_of() }}::date - 1, interval 1 day
    ))::date as day
    from spend group by 1
),
days as (
    select scope, day, coalesce(usd, 0)::decimal(38, 9) as usd
    from calendar left join spend using (scope, day)
),
against as (
    select scope, day, usd,
        count(*) over before as known_days,
        median(usd::double) over before as median_usd,
        mad(usd::double) over before as mad_usd
    from days
    window before as (
        partition by scope order by day rows between 28 preceding and 1 preceding
    )
),
scored as (
    select *, (usd::double - median_usd)
        / (1.4826 * greatest(mad_usd, 0.05 * abs(median_usd), 0.01)) as robust_z
    from against where known_days >= 7
)
select scope, day, usd as cost_usd, median_usd::decimal(38, 9) as usual_usd, robust_z,
    abs(robust_z) > 3.5 as is_anomaly
from scored
