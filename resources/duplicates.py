"""Which attempts of the ledger were for nothing, as dbt_costs/macros/waste.sql has it of the marts.

Of the attempts at one job that are done the first to end is the job, at the same moment the one
with the lower number; each other one is a duplicate.
"""

# all columns of `attempts`, and is_wasted
JUDGED = """
    SELECT attempts.*, CASE status
               WHEN 'none' THEN false
               WHEN 'done' THEN coalesce(
                   (ended_at, attempt) > (first_ended_at, first_attempt), false)
               ELSE true
           END AS is_wasted
    FROM attempts LEFT JOIN (
        SELECT tenant, job_id, min(ended_at) AS first_ended_at,
               arg_min(attempt, (ended_at, attempt)) AS first_attempt
        FROM attempts
        SEMI JOIN (
            SELECT tenant, job_id FROM attempts WHERE status = 'done' AND attempt > 1
        ) AS later USING (tenant, job_id)
        WHERE status = 'done' GROUP BY 1, 2 HAVING count(*) > 1
    ) AS twice USING (tenant, job_id)
"""
