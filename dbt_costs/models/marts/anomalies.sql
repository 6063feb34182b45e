-- Grain: a scope ('all', or a backend) and a complete day (UTC). Guarantee: a robust z of its
-- spend against the typical cost of its weekday, if at least 7 days are known. Deviations are
-- those of the previous 28 days, each from its own typical cost, with a floor (5 % of the typical
-- cost, one cent), so that small amounts raise no alarm. Until a weekday is known three times,
-- the typical cost is that of all days, and only spend above it counts, since a quiet Sunday
-- would look unusual. A level that persists is reported once: a day as far off as the day before
-- is no anomaly.
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
medians as (
    select scope, day, usd,
        count(*) over before as known_days,
        count(*) over weeks_before >= 3 as knows_weekday,
        median(usd::double) over before as usual_of_all,
        median(usd::double) over weeks_before as usual_of_weekday
    from days
    window
        before as (partition by scope order by day rows between 28 preceding and 1 preceding),
        weeks_before as (
            partition by scope, isodow(day) order by day rows between 4 preceding and 1 preceding
        )
),
against as (
    select scope, day, usd, known_days, knows_weekday,
        case when knows_weekday then usual_of_weekday else usual_of_all end as usual_usd
    from medians
),
spread as (
    select *, usd::double - usual_usd as off,
        1.4826 * greatest(
            coalesce(median(abs(usd::double - usual_usd)) over (
                partition by scope order by day rows between 28 preceding and 1 preceding
            ), 0),
            0.05 * abs(usual_usd), 0.01
        ) as deviation
    from against
),
scored as (
    select *, off / deviation as robust_z,
        case
            when known_days < 7 then 0
            when off / deviation > 3.5 then 1
            when knows_weekday and off / deviation < -3.5 then -1
            else 0
        end as side
    from spread
),
before as (
    select *, lag(side) over days as side_before, lag(off) over days as off_before
    from scored window days as (partition by scope order by day)
)
select scope, day, usd as cost_usd, usual_usd::decimal(38, 9) as usual_usd, robust_z,
    side <> 0 and (side <> coalesce(side_before, 0) or (off - off_before) / deviation * side > 3.5)
        as is_anomaly
from before where known_days >= 7
