-- A sku has exactly one price at any time after its first one.
with neighbours as (
    select backend, sku, valid_to,
        lead(valid_from) over (partition by backend, sku order by valid_from) as next_from
    from {{ ref('stg_prices') }}
)
select * from neighbours where next_from is not null and next_from <> valid_to
