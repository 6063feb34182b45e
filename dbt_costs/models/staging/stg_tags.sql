-- Grain: a recording with its own tags. Guarantee: the latest tags of each.
select recording, tenant, cost_center, project from {{ source('ledger', 'tags') }}
