{# Tables that are built by what a load touched, in one transaction with the mark of how far they
   are built: killed anywhere, the next build does it again. Anew, a table grows beside the one that
   is there until it takes its place. #}

{% macro by_day() %}{{ config(materialized='by_day') }}{% endmacro %}

{% macro by_recording() %}{{ config(materialized='by_recording') }}{% endmacro %}

{% macro builds_anew() -%}
{# a worked example (dbt's unit test) has no table of its own #}
{{ return(should_full_refresh() or not execute or not this or load_cached_relation(this) is none) }}
{%- endmacro %}

{# Each piece is deleted and rebuilt. #}
{% materialization by_day, adapter='duckdb' %}
  {% set is_new = builds_anew() %}
  {% set deletion = '' if is_new else 'delete from ' ~ this ~ ' where ' ~ in_piece('day') %}
  {{ return(_built_in_pieces(is_new, day_pieces(is_new), deletion)) }}
{% endmaterialization %}

{# A recording that has anything on a touched day is built again whole; the model says which. #}
{% materialization by_recording, adapter='duckdb' %}
  {% set is_new = builds_anew() %}
  {% set of_all = 'select sum(rows) from ledger.day_rows' %}
  {% set of_touched = of_all ~ ' where day in (' ~ touched_days() ~ ')' %}
  {% set deletion = '' if is_new else 'delete from ' ~ this ~ ' as ours using (' ~ touched_recordings()
      ~ ') as touched where ours.tenant = touched.tenant and ours.recording = touched.recording and '
      ~ in_share('ours.tenant, ours.recording') %}
  {{ return(_built_in_pieces(is_new, share_pieces(of_all if is_new else of_touched), deletion)) }}
{% endmaterialization %}

{% macro _built_in_pieces(is_new, pieces, deletion) %}
  {% set target = this.incorporate(type='table') %}
  {% set growing = make_intermediate_relation(target) if is_new else target %}
  {% set replaced = make_backup_relation(target, 'table') %}
  {% set existing = load_cached_relation(this) %}
  {% do adapter.drop_relation(replaced) %}
  {% if is_new %}
    {% do adapter.drop_relation(growing) %}
    {% call statement('create') %}
      {{ create_table_as(False, growing, 'select * from (' ~ sql ~ ') limit 0') }}
    {% endcall %}
  {% endif %}
  {% for piece in pieces %}
    {% set insertion = 'insert into ' ~ growing ~ ' by name select * from (\n' ~ sql ~ '\n)' %}
    {% for step in [deletion, insertion] if step %}
      {% set of_piece = namespace(text=step) %}
      {% for everything, part in piece.items() %}
        {% set of_piece.text = of_piece.text | replace(everything, part) %}
      {% endfor %}
      {% call statement('piece') %}{{ of_piece.text }}{% endcall %}
    {% endfor %}
  {% endfor %}
  {% call statement('main') %}{{ mark_built() }}{% endcall %}
  {% if is_new and existing is not none %}
    {% do adapter.rename_relation(target, replaced) %}
  {% endif %}
  {% if is_new %}{% do adapter.rename_relation(growing, target) %}{% endif %}
  {% do adapter.commit() %}
  {% do adapter.drop_relation(replaced) %}
  {{ return({'relations': [target]}) }}
{% endmacro %}
