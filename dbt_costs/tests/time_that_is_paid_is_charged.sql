-- The seconds and costs of workers equal those of lives and attempts, each counted once.
with told as (
    select sum(boot_seconds + idle_seconds) as waited, sum(cost_usd) as usd from {{ ref('worker_time') }}
),
lives as (select sum(boot_micros + idle_micros) / 1e6 as waited from {{ ref('int_life_days') }}),
charges as (
    select sum(run_usd + boot_usd + idle_usd) as usd from {{ ref('int_attempt_charges') }} as charges
    where backend <> 'none' and (backend, sku) not in (
        select (backend, sku) from {{ ref('stg_prices') }} where unit = 'audio_minute'
    )
)
select * from told, lives, charges
where coalesce(told.usd, 0) <> coalesce(charges.usd, 0)
    or abs(coalesce(told.waited, 0) - coalesce(lives.waited, 0)) > 1
