-- Grain: a scope ('all', or a tenant). Guarantee: as the settings were at the last load.
select scope, day_usd, month_usd from {{ source('ledger', 'limits') }}
