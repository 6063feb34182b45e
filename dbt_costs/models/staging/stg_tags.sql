-- Grain: a recording of which somebody said tags. Guarantee: the last word on each.
select recording, tenant, cost_center, project from {{ source('ledger', 'tags') }}
