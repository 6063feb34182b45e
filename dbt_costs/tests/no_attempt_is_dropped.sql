-- Every attempt of the ledger has its charge exactly once, however it ended.
select attempt_id from {{ ref('stg_attempts') }}
anti join (select attempt_id from {{ ref('int_attempt_charges') }} where is_run_day) using (attempt_id)
union all
select attempt_id from {{ ref('int_attempt_charges') }}
where is_run_day group by 1 having count(*) > 1
