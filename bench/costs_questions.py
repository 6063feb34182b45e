"""Questions to the raw table of attempts, in words that DuckDB and PostgreSQL both understand."""

RAW = {
    "spend by backend, last 30 days": """
        SELECT backend, sum(cost_usd) FROM attempts
        WHERE started_at >= (SELECT max(started_at) FROM attempts) - INTERVAL '30 days'
        GROUP BY backend""",
    "spend by tenant and month": """
        SELECT tenant, date_trunc('month', started_at) AS month, sum(cost_usd) FROM attempts
        GROUP BY 1, 2 ORDER BY 1, 2""",
    "ten dearest recordings of a month": """
        SELECT tenant, recording, sum(cost_usd) AS usd FROM attempts
        WHERE started_at >= '2026-03-01' AND started_at < '2026-04-01'
        GROUP BY 1, 2 ORDER BY usd DESC, recording LIMIT 10""",
    "failure rate by sku": """
        SELECT backend, sku, avg(CASE WHEN status = 'done' THEN 0.0 ELSE 1.0 END) FROM attempts
        WHERE backend <> 'none' GROUP BY 1, 2""",
    "RTF, p95 by sku": """
        SELECT backend, sku, percentile_cont(0.95) WITHIN GROUP (ORDER BY rtf) FROM attempts
        WHERE rtf IS NOT NULL GROUP BY 1, 2""",
    "one recording": """
        SELECT attempt, status, cost_usd FROM attempts
        WHERE recording = (SELECT min(recording) FROM attempts) ORDER BY attempt""",
    "waste by error": """
        SELECT error_type, count(*), sum(cost_usd) FROM attempts
        WHERE status NOT IN ('done', 'none') GROUP BY 1""",
    "spend a day, over seven days": """
        SELECT day, avg(usd) OVER (ORDER BY day ROWS 6 PRECEDING) FROM (
            SELECT date_trunc('day', started_at) AS day, sum(cost_usd) AS usd FROM attempts
            GROUP BY 1) AS days""",
    "audio by language": """
        SELECT language, sum(audio_seconds) / 3600, sum(cost_usd) FROM attempts
        WHERE status = 'done' GROUP BY 1""",
}
INDICES = (
    "CREATE INDEX ON attempts (started_at)",
    "CREATE INDEX ON attempts (tenant, started_at)",
    "CREATE INDEX ON attempts (backend, sku, started_at)",
    "CREATE INDEX ON attempts (recording)",
    "CREATE INDEX ON attempts (status) WHERE status NOT IN ('done', 'none')",
)
SETTINGS = (
    "SET work_mem = '256MB'",
    "SET effective_cache_size = '4GB'",
    "SET max_parallel_workers_per_gather = 2",
    "SET random_page_cost = 1.1",
    "SET jit = on",
)
