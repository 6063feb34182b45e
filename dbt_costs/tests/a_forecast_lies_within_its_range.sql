-- The spend is at most the lower end of the range, and the forecast lies within the range.
select * from {{ ref('budget_burn') }}
where forecast_low_usd is null or forecast_high_usd is null
    or forecast_low_usd > forecast_usd or forecast_usd > forecast_high_usd
