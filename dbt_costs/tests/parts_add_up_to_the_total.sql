-- The categories of a day and backend add up to its bill, or to the measured cost and other
-- billed costs.
with spent as (
    select day, backend, sum(cost_usd) as usd from {{ ref('daily_spend') }} group by 1, 2
)
select * from {{ ref('int_day_totals') }} as totals
full join spent using (day, backend)
where coalesce(spent.usd, 0) <> coalesce(totals.cost_usd, 0)
