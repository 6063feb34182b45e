-- What an attempt's run cost, and how long it took, is all there, on whatever days.
with pieces as (
    select attempt_id, sum(run_usd) as usd, sum(run_seconds) as seconds
    from {{ ref('int_attempt_charges') }} where attempt_id is not null group by 1
)
select * from {{ ref('int_run_costs') }} left join pieces using (attempt_id)
where usd is distinct from run_usd or seconds is null or abs(seconds - run_seconds) > 1e-6
