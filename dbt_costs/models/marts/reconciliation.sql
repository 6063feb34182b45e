-- Grain: a day (UTC) and a backend whose machines are billed for all of it. Guarantee: the bill is the total;
-- run, boot, idle and what is billed beside machines explain it, and what they do not is a column. Its
-- share is of what machines cost: credits and tax neither hide nor make an alarm.
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
