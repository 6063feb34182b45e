-- A currency has exactly one rate at any time after its first one.
with neighbours as (
    select currency, valid_to,
        lead(valid_from) over (partition by currency order by valid_from) as next_from
    from {{ ref('exchange_rates') }}
)
select * from neighbours
where next_from is not null and (valid_to is null or next_from <> valid_to)
