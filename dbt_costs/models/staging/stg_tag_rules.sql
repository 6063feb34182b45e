-- Grain: a line of tenants.yaml on tags. Guarantee: as the settings were at the last load; the first
-- that fits holds, and the one without a pattern fits all of its tenant.
select tenant, place, pattern, cost_center, project from {{ source('ledger', 'tag_rules') }}
