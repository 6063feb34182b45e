-- Grain: a day (UTC) and a backend with a complete bill for its machines. Guarantee: the bill is
-- the total; run, boot, idle and other billed costs explain it, and the rest is a column.
-- unexplained_share is relative to the cost of machines, so that credits and tax neither hide nor
-- cause an alarm.
{{ by_day() }}
select
    day, backend, cost_usd as billed_usd, compute_usd as machines_usd, run_usd, boot_usd, idle_usd,
    storage_usd, network_usd, tax_usd, credit_usd, other_usd,
    (compute_usd - run_usd - boot_usd - idle_usd)::decimal(38, 9) as unexplained_usd,
    case when compute_usd <> 0 then
        abs((compute_usd - run_usd - boot_usd - idle_usd)::double / compute_usd::double)
    end as unexplained_share,
    abs(compute_usd - run_usd - boot_usd - idle_usd) > 0.05 * abs(compute_usd) as is_alarming,
    assumed_usd as by_assumed_rate_usd
from {{ ref('int_day_totals') }}
where is_billed and {{ in_piece('day') }}
