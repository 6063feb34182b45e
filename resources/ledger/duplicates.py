"""The wasted attempts of the ledger, by the rule of dbt_costs/macros/waste.sql for the marts.

Of several done attempts at one job, the first to end counts (on a tie, the lower number); each
other one is a duplicate.
"""

# all columns of `attempts`, and is_wasted
ATTEMPTS_WITH_WASTE = """
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
