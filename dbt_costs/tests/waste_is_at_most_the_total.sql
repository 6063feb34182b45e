-- Waste is at most what a tenant spent on a backend in a day.
select * from (
    select day, tenant, backend, sum(cost_usd) as wasted from {{ ref('waste') }} group by 1, 2, 3
) inner join (
    select day, tenant, backend, sum(cost_usd) as spent from {{ ref('daily_spend') }}
    where category in ('run', 'failed_run', 'boot', 'idle') group by 1, 2, 3
) using (day, tenant, backend)
where wasted > spent
