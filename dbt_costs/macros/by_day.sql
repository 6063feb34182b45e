{# Incremental by day: a day that a load touched is deleted and built again, in one transaction
   with the mark of how far the model is built. Killed anywhere, the next build does it again. #}

{% macro by_day(materialized='incremental') %}
{{ config(
    materialized=materialized,
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

{% macro only_touched(day) -%}
{% if is_incremental() %}{{ day }} in ({{ touched_days() }}){% else %}true{% endif %}
{%- endmacro %}

{% macro mark_built() -%}
delete from ledger.built where model = '{{ this.name }}';
insert into ledger.built
select '{{ this.name }}', coalesce(max(load_id), 0) from ledger.loaded_files
{%- endmacro %}
