{# What a load changed since this model was built: the changed days, and the last load built. #}

{% macro touched_days() -%}
select day from ledger.touched_days where load_id > coalesce(
    (select max(load_id) from ledger.built where model = '{{ this.name }}'), 0
)
{%- endmacro %}

{% macro touched_recordings() -%}
select distinct tenant, recording from {{ ref('int_attempt_charges') }}
where day in ({{ touched_days() }}) and recording is not null
{%- endmacro %}

{% macro mark_built() -%}
delete from ledger.built where model = '{{ this.name }}';
insert into ledger.built
select '{{ this.name }}', coalesce(max(load_id), 0) from ledger.loaded_files
{%- endmacro %}
