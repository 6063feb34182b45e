-- Grain: a scope ('all', or a tenant) and a month. Guarantee: the spend on paid backends, the
-- current limits, and for the current month a forecast from its last complete days, with a 95 %
-- range.
{{ config(materialized='table') }}
with spend as (
    select day, tenant, sum(cost_usd) as usd,
        -- a credit is not spend that continues
        coalesce(sum(cost_usd) filter (category <> 'credit'), 0) as rate_usd
    from {{ ref('daily_spend') }}
    where backend <> 'local' -- this machine is not billed, so no limit applies
    group by 1, 2
),
scoped as (
    select 'all' as scope, day, sum(usd)::decimal(38, 9) as usd, sum(rate_usd)::decimal(38, 9) as rate_usd
    from spend group by 1, 2
    union all
    select tenant as scope, day, usd, rate_usd from spend where tenant <> 'unallocated'
),
now_is as (select {{ as_of() }}::date as today),
-- days without spend count, from the first day of a scope
calendar as (
    select scope, unnest(generate_series(
        greatest(min(day), (select today from now_is) - 14), (select today from now_is) - 1,
        interval 1 day
    ))::date as day
    from scoped group by scope
),
recent as (
    select calendar.scope, count(*) as days,
        greatest(0, sum(ledger.to_nano(coalesce(scoped.rate_usd, 0)))::hugeint) as nano,
        coalesce(stddev_samp(coalesce(scoped.rate_usd, 0)::double), 0) as deviation
    from calendar left join scoped using (scope, day)
    group by 1
),
months as (
    select scope, date_trunc('month', day)::date as month, sum(usd)::decimal(38, 9) as spent_usd,
        coalesce(sum(usd) filter (day = (select today from now_is)), 0)::decimal(38, 9) as today_usd
    from scoped where day <= (select today from now_is) group by 1, 2
),
ahead as (
    select months.*, recent.days as basis_days, recent.deviation,
        recent.nano // nullif(recent.days, 0) as mean_nano,
        -- today is incomplete, so it counts with its spend or the mean, whichever is higher
        case when month = date_trunc('month', today)::date
            then date_diff('day', today, last_day(today)) end as days_left
    from months cross join now_is left join recent using (scope)
),
forecast as (
    select *,
        case when days_left is null or mean_nano is null then spent_usd else
            spent_usd + greatest(0, ledger.from_nano(mean_nano) - today_usd)
            + ledger.from_nano(mean_nano * days_left)
        end::decimal(38, 9) as forecast_usd,
        -- a scope that began today has no deviation
        case when days_left is null or deviation is null then 0 else
            1.96 * deviation * sqrt(days_left + days_left * days_left / greatest(basis_days, 1.0))
        end::decimal(38, 9) as margin_usd
    from ahead
)
select
    forecast.scope, month, spent_usd, today_usd, forecast_usd,
    greatest(spent_usd, forecast_usd - margin_usd)::decimal(38, 9) as forecast_low_usd,
    (forecast_usd + margin_usd)::decimal(38, 9) as forecast_high_usd,
    case when days_left is not null then ledger.from_nano(mean_nano) end as usd_a_day,
    coalesce(basis_days, 0) as basis_days, limits.day_usd, limits.month_usd,
    case when limits.month_usd > 0 then spent_usd::double / limits.month_usd::double end as burned_share,
    case
        when days_left is null then 'past'
        when spent_usd >= limits.month_usd or today_usd >= limits.day_usd then 'stop'
        when spent_usd >= limits.month_usd * {{ var('warn_share') }}::decimal(9, 6)
            or today_usd >= limits.day_usd * {{ var('warn_share') }}::decimal(9, 6)
            or forecast_usd > limits.month_usd then 'warn'
        else 'ok'
    end as level
from forecast left join {{ ref('stg_limits') }} as limits on forecast.scope = limits.scope
