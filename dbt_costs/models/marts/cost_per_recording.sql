-- Grain: a tenant's recording. Guarantee: all attempts of all days, including failed ones, with
-- their shares of boot and idle; costs without a recording are only in idle and daily_spend. An
-- hour of audio counts as processed: each uploaded version of a path counts, since each is
-- charged; audio transcribed twice, or again after a failure, counts once.
{{ by_recording() }}
with charges as (
    select * from {{ ref('int_attempt_charges') }}
    {% if not builds_anew() %}
    semi join ({{ touched_recordings() }}) as touched using (tenant, recording)
    {% endif %}
    where recording is not null and {{ in_share('tenant, recording') }}
),
jobs as (
    select tenant, recording,
        max(audio_seconds) filter (waste = '') as done_seconds, max(audio_seconds) as tried_seconds
    from charges group by tenant, recording, job_id
),
worked as (
    -- without a completed attempt, the attempted audio
    select tenant, recording,
        coalesce(nullif(sum(done_seconds), 0), max(tried_seconds), 0)::double as worked_audio_seconds
    from jobs group by 1, 2
),
summed as (
    select
        tenant, recording, min(day) as first_day, max(day) as last_day,
        count(*) filter (is_run_day and backend <> 'none') as attempts,
        count(*) filter (is_run_day and waste <> '') as wasted_attempts,
        coalesce(max(audio_seconds), 0)::double as audio_seconds,
        coalesce(max(language) filter (status = 'done'), '') as language,
        coalesce(sum(run_usd) filter (waste = ''), 0)::decimal(38, 9) as run_usd,
        coalesce(sum(run_usd) filter (waste <> ''), 0)::decimal(38, 9) as wasted_usd,
        sum(boot_usd)::decimal(38, 9) as boot_usd, sum(idle_usd)::decimal(38, 9) as idle_usd,
        sum(run_usd + boot_usd + idle_usd)::decimal(38, 9) as cost_usd
    from charges group by 1, 2
)
select *,
    case when worked_audio_seconds > 0 then
        ledger.from_nano(ledger.half_even(
            ledger.to_nano(cost_usd) * 3600000000, ledger.micros(worked_audio_seconds)
        ))
    end as usd_per_audio_hour
from summed inner join worked using (tenant, recording)
