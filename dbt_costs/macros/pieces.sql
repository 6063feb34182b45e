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

{# The same of a run, which is no longer than runs can be: most of the ledger is not read. #}
{% macro runs_near_piece(since, until) -%}
{{ near_piece(since, until) }}
    and {{ since }} >= timestamptz '0001-01-01 00:00:00+00' - interval {{ var('longest_run_seconds') }} second
{%- endmacro %}

{# Whether a job may be of a life that touches it: those of one life are within the longest life of
   each other. #}
{% macro in_lives_near_piece(at) -%}
{{ at }} >= timestamptz '0001-01-02 00:00:00+00' and {{ at }} < timestamptz '9999-12-30 00:00:00+00'
{%- endmacro %}

{# Attempts of each day, by which pieces are cut, and the longest life in whole days: once for all
   models. Where a worker says when it began, each of its jobs tells how long it lived at least. #}
{% macro size_up() -%}
create or replace table ledger.day_rows as
select started_at::date as day, count(*) as rows from ledger.attempts group by 1;
create or replace table ledger.longest_life as
with jobs as (
    -- as far as boots and jobs can be believed
    select session_id,
        -- a later process on a leased machine says when that process was ready
        models_ready_at is null or container_started_at is null or instance_id is not null as is_silent,
        epoch(greatest(
            coalesce(container_started_at, job_started_at),
            coalesce(models_ready_at, job_started_at) - interval {{ var('longest_boot_seconds') }} second
        )) as began,
        epoch(least(job_ended_at, job_started_at + interval {{ var('longest_run_seconds') }} second))
            + idle_timeout_seconds as ended
    from ledger.sessions
),
lives as (
    select max(ended - began) as seconds from jobs
    union all
    select max(ended) - min(began) from jobs
    semi join (select distinct session_id from jobs where is_silent) as silent using (session_id)
    group by session_id
)
select coalesce(ceil(max(seconds) / 86400), 0)::integer as days from lives
{%- endmacro %}

{% macro in_share(columns) -%}
hash({{ columns }}) % 1 = 0
{%- endmacro %}

{# From a day to before another: all days, or those that were touched. A gap of a week or more ends
   a piece; what lies in a smaller one is built again, as it was. #}
{% macro day_pieces(builds_anew) -%}
{%- set found = run_query(
    "select since::varchar, before::varchar, (since - days)::varchar, (before + days)::varchar from ("
    ~ (_all_pieces() if builds_anew else _touched_pieces())
    ~ ") cross join ledger.longest_life order by since"
) -%}
{%- set pieces = [] -%}
{%- for row in found.rows -%}
{%- do pieces.append({
    '0001-01-01': row[0], '9999-12-31': row[1], '0001-01-02': row[2], '9999-12-30': row[3]
}) -%}
{%- endfor -%}
{{ return(pieces) }}
{%- endmacro %}

{% macro _all_pieces() -%}
with counted as (
    select day, (sum(rows) over (order by day) - 1) // {{ var('piece_rows') }} as piece
    from ledger.day_rows
),
pieces as (select min(day) as since from counted group by piece)
select case when lag(since) over (order by since) is null then date '0002-01-01' else since end as since,
    coalesce(lead(since) over (order by since), date '9998-12-31') as before
from (from pieces union all select date '0002-01-01' where not exists (from pieces))
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
select min(day) as since, max(day) + 1 as before from counted group by island, piece
{%- endmacro %}

{# Shares of all recordings. Each reads the whole table, and sums need less memory than stretches in
   their order, so a share is as large as four pieces. #}
{% macro share_pieces(rows) -%}
{%- set found = run_query(
    "select greatest(1, ceil(coalesce((" ~ rows ~ "), 0) / " ~ 4 * var('piece_rows') ~ "))::integer"
) -%}
{%- set shares = found.rows[0][0] -%}
{%- set pieces = [] -%}
{%- for share in range(shares) -%}
{%- do pieces.append({' % 1 = 0': ' % ' ~ shares ~ ' = ' ~ share}) -%}
{%- endfor -%}
{{ return(pieces) }}
{%- endmacro %}
