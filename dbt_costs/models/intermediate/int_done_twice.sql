-- Grain: a job with more than one completed attempt. Guarantee: the first of them; all others are
-- duplicates.
{{ config(materialized='table') }}
select tenant, job_id, min(ended_at) as first_ended_at, arg_min(attempt, (ended_at, attempt)) as first_attempt
from {{ ref('stg_attempts') }}
-- one of two attempts is not the first
semi join (
    select tenant, job_id from {{ ref('stg_attempts') }} where status = 'done' and attempt > 1
) as later using (tenant, job_id)
where status = 'done'
group by 1, 2
having count(*) > 1
