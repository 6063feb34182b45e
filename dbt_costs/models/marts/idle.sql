-- Grain: a day (UTC), backend and tenant. Guarantee: all paid boot and idle time; costs that no
-- job explains belong to the tenant 'unallocated'.
{{ by_day() }}
select
    day, backend, tenant, tenant <> 'unallocated' as is_allocated,
    sum(boot_usd)::decimal(38, 9) as boot_usd, sum(idle_usd)::decimal(38, 9) as idle_usd,
    sum(run_usd)::decimal(38, 9) as run_usd
from {{ ref('int_attempt_charges') }}
where backend <> 'none' and {{ in_piece('day') }}
group by 1, 2, 3
having sum(boot_usd) <> 0 or sum(idle_usd) <> 0
