{# The one meaning of waste, and of a duplicate: of the attempts at one job that are done, the first
   to end is the job (at the same moment the one with the lower number), and each other one too many.
   attempts: has status, ended_at, attempt; twice: int_done_twice, joined to it by tenant and job. #}
{% macro waste_of(attempts, twice) -%}
case
    when {{ attempts }}.status in ('failed', 'lost', 'buried') then {{ attempts }}.status
    when {{ attempts }}.status = 'stopped' then 'preempted'
    when {{ attempts }}.status = 'done' and ({{ attempts }}.ended_at, {{ attempts }}.attempt)
        > ({{ twice }}.first_ended_at, {{ twice }}.first_attempt) then 'duplicate'
    else ''
end
{%- endmacro %}

{# What is spent on runs: on work that was of use, or on attempts that made nothing that was not there. #}
{% macro run_category(waste='waste') -%}
case when {{ waste }} = '' then 'run' else 'failed_run' end
{%- endmacro %}
