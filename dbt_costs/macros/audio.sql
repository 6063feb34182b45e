{# Hours of audio count with the words: a job that only finds speakers (model speakers:…, of
   escriba/billing/quotes.py) adds cost, and no audio. attempts: has model and audio_seconds. #}
{% macro audio_of(attempts) -%}
case when starts_with({{ attempts }}.model, 'speakers:') then 0 else {{ attempts }}.audio_seconds end
{%- endmacro %}

{# The audio that an API bills for an attempt: what it bought. If that is unknown, the whole recording,
   or nothing if the attempt never ran. As in escriba/billing/price_periods.py. #}
{% macro paid_audio() -%}
coalesce(bought_audio_seconds, case when run_micros > 0 then audio_seconds else 0 end)
{%- endmacro %}
