-- Grain: a language and a length class of recordings. Guarantee: every recording once; '' is an
-- unknown language.
{{ config(materialized='table') }}
select
    language,
    case
        when audio_seconds < 600 then '1 under 10 min'
        when audio_seconds < 3600 then '2 under 1 h'
        when audio_seconds < 10800 then '3 under 3 h'
        else '4 from 3 h on'
    end as length_class,
    count(*) as recordings,
    sum(worked_audio_seconds) / 3600 as audio_hours,
    sum(cost_usd)::decimal(38, 9) as cost_usd,
    sum(wasted_usd)::decimal(38, 9) as wasted_usd,
    case when sum(worked_audio_seconds) > 0 then
        ledger.from_nano(ledger.half_even(
            ledger.to_nano(sum(cost_usd)) * 3600000000, ledger.micros(sum(worked_audio_seconds))
        ))
    end as usd_per_audio_hour
from {{ ref('cost_per_recording') }}
group by 1, 2
