{# The time from which forecasts start. #}
{% macro as_of() -%}
{% if var('as_of') %}timestamptz '{{ var("as_of") }}'{% else %}now(){% endif %}
{%- endmacro %}
