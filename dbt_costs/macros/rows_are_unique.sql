{# The grain: no two rows share these columns. #}
{% test rows_are_unique(model, columns) %}
select {{ columns | join(', ') }}, count(*) as times
from {{ model }} group by {{ columns | join(', ') }} having count(*) > 1
{% endtest %}
