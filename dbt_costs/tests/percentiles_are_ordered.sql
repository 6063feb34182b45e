select * from {{ ref('backend_performance') }}
where rtf_p50 > rtf_p95 or rtf_p95 > rtf_p99 or queue_seconds_p50 > queue_seconds_p95
    or boot_seconds_p50 > boot_seconds_p95 or failure_rate not between 0 and 1
