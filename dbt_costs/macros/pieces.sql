{# A large table is built in pieces, so that memory does not grow with the years: stretches of days,
   or a share of all recordings, with about `piece_rows` attempts in each. A model says what is in a
   piece by the macros below. As they stand they mean everything; for each piece the two dates, or
   the share, are put in their place. #}

{% macro in_piece(day, at='') -%}
{{ day }} >= date '0001-01-01' and {{ day }} < date '9999-12-31'
{%- if at %}
    -- where a scan can be cut short by the moment
    and {{ at }} >= timestamptz '0001-01-01 00:00:00+00' and {{ at }} < timestamptz '9999-12-31 00:00:00+00'
{%- endif -%}
{%- endmacro %}

{# Whether a stretch of time may lie in it: for scans of what is cut by day afterwards. #}
{% macro near_piece(since, until) -%}
{{ until }} >= timestamptz '0001-01-01 00:00:00+00' and {{ since }} < timestamptz '9999-12-31 00:00:00+00'
{%- endmacro %}

{% macro in_share(columns) -%}
hash({{ columns }}) % 1 = 0
{%- endmacro %}

{# From a day to before another: all days, or those that were touched. A gap of a week or more ends
   a piece; what lies in a smaller one is built again, as it was. #}
{% macro day_pieces(builds_anew) -%}
{%- set found = run_query(_all_pieces() if builds_anew else _touched_pieces()) -%}
{%- set pieces = [] -%}
{%- for row in found.rows -%}
{%- do pieces.append({'0001-01-01': row[0], '9999-12-31': row[1]}) -%}
{%- endfor -%}
{{ return(pieces) }}
{%- endmacro %}

{% macro _all_pieces() -%}
with counted as (
    select day, (sum(rows) over (order by day) - 1) // {{ var('piece_rows') }} as piece
    from ledger.day_rows
),
pieces as (select min(day) as since from counted group by piece)
select coalesce(case when lag(since) over (order by since) is not null then since end, '0001-01-01')::varchar,
    coalesce(lead(since) over (order by since), '9999-12-31')::varchar
from (from pieces union all select date '0001-01-01' where not exists (from pieces))
order by since
{%- endmacro %}

{% macro _touched_pieces() -%}
with touched as (
    select day, sum(is_far::integer) over (order by day) as island from (
        select day, day - lag(day) over (order by day) > 7 as is_far
        from (select distinct day from ({{ touched_days() }}))
    )
),
days as (
    select island, unnest(generate_series(min(day), max(day), interval 1 day))::date as day
    from touched group by 1
),
counted as (
    select day, island, (
        greatest(1, sum(coalesce(rows, 0)) over (partition by island order by day)) - 1
    ) // {{ var('piece_rows') }} as piece
    from days left join ledger.day_rows using (day)
)
select min(day)::varchar, (max(day) + 1)::varchar from counted group by island, piece order by 1
{%- endmacro %}

{# Shares of all recordings: so many that none has more rows. #}
{% macro share_pieces(rows) -%}
{%- set found = run_query("select ceil(coalesce((" ~ rows ~ "), 0) / " ~ var('piece_rows') ~ ")::integer") -%}
{%- set pieces = [] -%}
{%- for share in range([1, found.rows[0][0]] | max) -%}
{%- do pieces.append({' % 1 = 0': ' % ' ~ [1, found.rows[0][0]] | max ~ ' = ' ~ share}) -%}
{%- endfor -%}
{{ return(pieces) }}
{%- endmacro %}
