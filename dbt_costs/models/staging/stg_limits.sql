-- Grain: a scope ('all', or a tenant). Guarantee: the settings at the last load.
select scope, day_usd, month_usd from {{ source('ledger', 'limits') }}
