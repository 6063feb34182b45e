-- The costs of recordings and the costs without a recording add up to the measured cost.
with recordings as (select coalesce(sum(cost_usd), 0) as usd from {{ ref('cost_per_recording') }}),
nobody as (
    select coalesce(sum(boot_usd + idle_usd), 0) as usd
    from {{ ref('int_attempt_charges') }} where attempt_id is null
),
measured as (
    select coalesce(sum(run_usd + boot_usd + idle_usd), 0) as usd from {{ ref('int_day_totals') }}
)
select * from recordings, nobody, measured
where recordings.usd + nobody.usd <> measured.usd
