-- All tags together, and costs without a tag, add up to daily_spend for each day, tenant and
-- backend.
with tagged as (
    select day, tenant, backend, sum(cost_usd) as usd from {{ ref('spend_by_tag') }} group by 1, 2, 3
),
spent as (
    select day, tenant, backend, sum(cost_usd) as usd from {{ ref('daily_spend') }} group by 1, 2, 3
)
select * from tagged full join spent using (day, tenant, backend)
where coalesce(tagged.usd, 0) <> coalesce(spent.usd, 0)
