-- Grain: a line of tenants.yaml with tags. Guarantee: the settings at the last load; the first
-- match applies, and the line without a pattern matches all recordings of its tenant.
select tenant, place, pattern, cost_center, project from {{ source('ledger', 'tag_rules') }}
