-- An attempt without a price in the price book keeps its recorded cost: add the line.
{{ config(severity='warn') }}
select backend, sku, count(*) as attempts, min(started_at) as first
from {{ ref('int_run_days') }} where not has_price group by 1, 2
