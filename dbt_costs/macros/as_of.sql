{# The moment that forecasts look from. #}
{% macro as_of() -%}
{% if var('as_of') %}timestamptz '{{ var("as_of") }}'{% else %}now(){% endif %}
{%- endmacro %}
