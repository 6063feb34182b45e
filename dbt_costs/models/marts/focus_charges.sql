-- Grain: a day (UTC), tenant, backend, sku, model and kind of charge. Guarantee: the columns of FOCUS
-- 1.2; the billed costs of a day and backend are those of daily_spend.
{{ by_day() }}
with charges as (
    select day, tenant, backend, sku, model,
        unnest([
            {'kind': {{ run_category() }}, 'usd': run_usd, 'seconds': run_seconds::double},
            {'kind': 'boot', 'usd': boot_usd, 'seconds': null::double},
            {'kind': 'idle', 'usd': idle_usd, 'seconds': null::double}
        ]) as charge,
        audio_seconds
    from {{ ref('int_attempt_charges') }}
    where backend <> 'none' and {{ in_piece('day') }}
),
summed as (
    select day, tenant, backend, sku, model, charge.kind as kind,
        sum(charge.usd)::decimal(38, 9) as usd,
        sum(charge.seconds) as seconds,
        sum(case when charge.kind = 'run' then audio_seconds end) as audio_seconds
    from charges where charge.usd <> 0
    group by 1, 2, 3, 4, 5, 6
    union all by name
    -- of a bill beside machines, and what nothing explains
    select day, tenant, backend, '' as sku, model, category as kind, cost_usd as usd
    from {{ ref('daily_spend') }}
    where category in ('storage', 'network', 'tax', 'credit', 'other', 'unexplained')
      and {{ in_piece('day') }}
),
named as (
    select summed.*,
        case summed.backend
            when 'runpod' then 'RunPod' when 'aws_gpu' then 'AWS' when 'gcp_gpu' then 'Google Cloud'
            when 'openai' then 'OpenAI' when 'pyannote_ai' then 'pyannoteAI'
            when 'local' then 'Own machine' else summed.backend
        end as provider,
        case summed.backend
            when 'runpod' then 'RunPod Serverless' when 'aws_gpu' then 'Amazon EC2'
            when 'gcp_gpu' then 'Compute Engine' when 'local' then 'Own machine'
            else 'Transcription API'
        end as service,
        case kind when 'tax' then 'Tax' when 'credit' then 'Credit'
            when 'unexplained' then 'Adjustment' else 'Usage' end as charge_category
    from summed
)
select
    day,
    usd as "BilledCost", usd as "EffectiveCost", usd as "ListCost", usd as "ContractedCost",
    'escriba' as "BillingAccountId", 'Escriba' as "BillingAccountName", 'USD' as "BillingCurrency",
    (date_trunc('month', day)::timestamp at time zone 'UTC') as "BillingPeriodStart",
    ((date_trunc('month', day) + interval 1 month)::timestamp at time zone 'UTC') as "BillingPeriodEnd",
    (day::timestamp at time zone 'UTC') as "ChargePeriodStart",
    ((day + 1)::timestamp at time zone 'UTC') as "ChargePeriodEnd",
    charge_category as "ChargeCategory", null::varchar as "ChargeClass",
    service || ' ' || sku || ': ' || kind as "ChargeDescription",
    case when charge_category = 'Usage' then 'Usage-Based' else 'One-Time' end as "ChargeFrequency",
    provider as "InvoiceIssuerName", provider as "ProviderName", provider as "PublisherName",
    case when charge_category = 'Usage' and kind in ('run', 'failed_run')
        then seconds::decimal(18, 6) end as "PricingQuantity",
    case when charge_category = 'Usage' and kind in ('run', 'failed_run')
        then 'Seconds' end as "PricingUnit",
    'AI and Machine Learning' as "ServiceCategory", 'AI Platforms' as "ServiceSubcategory",
    service as "ServiceName", null::varchar as "InvoiceId",
    tenant as "SubAccountId", tenant as "SubAccountName",
    backend as "x_Backend", sku as "x_Sku", model as "x_Model", kind as "x_Charge",
    coalesce(audio_seconds, 0)::double as "x_AudioSeconds"
from named
