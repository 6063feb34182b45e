{# Incremental by day: a day that a load touched is deleted and built again, in one transaction
   with the mark of how far the model is built. Killed anywhere, the next build does it again. #}

{% macro by_day() %}
{{ config(
    materialized='incremental',
    incremental_strategy='append',
    pre_hook="{% if is_incremental() %}delete from {{ this }} where day in ({{ touched_days() }}){% endif %}",
    post_hook="{{ mark_built() }}"
) }}
{% endmacro %}

{% macro touched_days() -%}
select day from ledger.touched_days where load_id > coalesce(
    (select max(load_id) from ledger.built where model = '{{ this.name }}'), 0
)
{%- endmacro %}

{# The first and the last of them, as moments in the query itself: what lies outside is never read. #}
{% macro touched_span() -%}
{%- if execute -%}
{%- set found = run_query("select min(day)::varchar, (max(day) + 1)::varchar from (" ~ touched_days() ~ ")") -%}
{{ return((found.rows[0][0] or '9999-01-01', found.rows[0][1] or '9999-01-01')) }}
{%- else -%}
{{ return(('9999-01-01', '9999-01-01')) }}
{%- endif -%}
{%- endmacro %}

{# day: an expression; at: the moment that it is the day of, where a scan can be cut short by it. #}
{% macro only_touched(day, at='') -%}
{%- if is_incremental() -%}
{%- set span = touched_span() -%}
{{ day }} in ({{ touched_days() }})
{%- if at %}
    and {{ at }} >= timestamptz '{{ span[0] }} 00:00:00+00' and {{ at }} < timestamptz '{{ span[1] }} 00:00:00+00'
{%- endif -%}
{%- else -%}true{%- endif -%}
{%- endmacro %}

{# Whether a stretch of time may lie on one of them: for scans of what is cut by day afterwards. #}
{% macro near_touched(since, until) -%}
{%- if is_incremental() -%}
{%- set span = touched_span() -%}
{{ until }} >= timestamptz '{{ span[0] }} 00:00:00+00' and {{ since }} < timestamptz '{{ span[1] }} 00:00:00+00'
{%- else -%}true{%- endif -%}
{%- endmacro %}

{% macro mark_built() -%}
delete from ledger.built where model = '{{ this.name }}';
insert into ledger.built
select '{{ this.name }}', coalesce(max(load_id), 0) from ledger.loaded_files
{%- endmacro %}
