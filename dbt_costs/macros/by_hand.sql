{# `dbt build` by hand, in addition to Escriba's builds (README.md). #}

{# Escriba loads the price book and the rates of its settings, which need not be those of seeds/: by
   hand they stay as they are, or the days that are built already would have other prices than the
   rest. With --full-refresh all is built anew, of seeds/. #}
{% materialization seed, adapter='duckdb' %}
  {% set ours = env_var('ESCRIBA_COSTS_BUILD', '') %}
  {% if not ours and adapter.get_relation(target.database, 'ledger', 'attempts') is none %}
    {{ exceptions.raise_compiler_error('nothing was loaded: nothing is put into this database') }}
  {% endif %}
  {% if ours or should_full_refresh() or load_cached_relation(this) is none %}
    {{ return(materialization_seed_default()) }}
  {% endif %}
  {% do store_result('agate_table', response='OK', agate_table=load_agate_table()) %}
  {% call noop_statement('main', 'KEPT', 'KEPT', 0) %}select 1{% endcall %}
  {{ return({'relations': [this.incorporate(type='table')]}) }}
{% endmaterialization %}

{# dbt makes an empty database, and fails at the first table that is not there. In SQL: a look at
   the relations from here would open a transaction that nobody commits. #}
{% macro hold_loaded() -%}
select error(
    'nothing was loaded into {{ target.path }}: run `escriba sql "FROM attempts"` first, or name '
    || 'the database in ESCRIBA_COSTS_DATABASE (dbt_costs/README.md)'
) where not exists (
    from duckdb_tables()
    where database_name = current_database() and schema_name = 'ledger' and table_name = 'attempts'
)
{%- endmacro %}

{# A build by hand may use other variables, so Escriba's next build checks everything again. #}
{% macro forget_last_build() -%}
delete from ledger.last_build
{%- endmacro %}
