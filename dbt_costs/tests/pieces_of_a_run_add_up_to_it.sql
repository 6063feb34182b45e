-- The run time of an attempt adds up over its days, except for seconds that another job of its
-- worker pays for.
with pieces as (
    select attempt_id, sum(run_seconds) as seconds
    from {{ ref('int_attempt_charges') }} where attempt_id is not null group by 1
),
audio as (select backend, sku from {{ ref('stg_prices') }} where unit = 'audio_minute')
select * from {{ ref('stg_attempts') }} as attempts
left join {{ ref('int_overlaps') }} as shared using (attempt_id)
left join pieces using (attempt_id)
where seconds is null or abs(seconds - run_seconds + case
    when (attempts.backend, sku) in (select (backend, sku) from audio) then 0
    else coalesce(shared_micros, 0) / 1e6 end) > 1e-6
