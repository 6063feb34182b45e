-- Grain: a day (UTC) and a backend that has a bill of that day. Guarantee: the bill is the total;
-- run, boot, idle and what is billed beside machines explain it, and what they do not is a column.
{{ by_day() }}
select
    day, backend, billed_usd, run_usd, boot_usd, idle_usd,
    storage_usd, network_usd, tax_usd, credit_usd, other_usd,
    (compute_usd - run_usd - boot_usd - idle_usd)::decimal(38, 9) as unexplained_usd,
    case when billed_usd <> 0 then
        abs((compute_usd - run_usd - boot_usd - idle_usd)::double / billed_usd::double)
    end as unexplained_share,
    abs(compute_usd - run_usd - boot_usd - idle_usd) > 0.05 * abs(billed_usd) as is_alarming
from {{ ref('int_day_totals') }}
where is_billed and {{ in_piece('day') }}
