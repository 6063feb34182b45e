-- Grain: a day (UTC), tenant, backend, sku, model and kind of charge. Guarantee: the columns of
-- FOCUS 1.2 and 1.4, from which an export takes those of one version; x_CostUsd of a day and
-- backend equals daily_spend, and BilledCost is the same amount in the currency of the bill.
-- Quantities are in the unit of the price: seconds or hours of machines, minutes of audio;
-- ListCost is list price times quantity. Spot machines with prices of their zone's history have the
-- mean price of the day.
{{ by_day() }}
with charges as (
    select day, tenant, backend, sku, model,
        unnest([
            { 'kind': {{ run_category() }}, 'usd': run_usd, 'seconds': run_seconds::double },
            { 'kind': 'boot', 'usd': boot_usd, 'seconds': null::double },
            { 'kind': 'idle', 'usd': idle_usd, 'seconds': null::double }
        ]) as charge,
        audio_seconds, paid_audio_seconds
    from {{ ref('int_attempt_charges') }}
    where backend <> 'none' and {{ in_piece('day') }}
),
summed as (
    select day, tenant, backend, sku, model, charge.kind as kind,
        sum(charge.usd)::decimal(38, 9) as usd,
        sum(charge.seconds) as seconds,
        sum(case when charge.kind in ('run', 'failed_run') then paid_audio_seconds end) as paid_audio_seconds,
        sum(case when charge.kind = 'run' then audio_seconds end) as audio_seconds
    from charges where charge.usd <> 0
    group by 1, 2, 3, 4, 5, 6
    union all by name
    -- billed costs other than machines, and the unexplained part
    select day, tenant, backend, '' as sku, model, category as kind, cost_usd as usd
    from {{ ref('daily_spend') }}
    where category in ('storage', 'network', 'tax', 'credit', 'other', 'unexplained')
      and {{ in_piece('day') }}
),
-- currency and account of each backend's bill, if there is one; otherwise USD and no account
bills as (
    select day, backend,
        case when count(distinct currency) = 1 then min(currency) else 'USD' end as currency,
        case when count(distinct currency) = 1 and min(currency) <> 'USD'
            then (sum(abs(amount)) / nullif(sum(abs(line_usd)), 0))::decimal(18, 9) end as units_per_usd,
        min(case when contains(bill, '/') then split_part(bill, '/', 1) end) as account,
        bool_or(starts_with(rate_source, 'assumed')) as is_by_assumed_rate
    from {{ ref('int_invoice_days') }} where {{ in_piece('day') }} group by 1, 2
),
-- only AWS numbers its invoices in the bill, after the month; others say the month alone
invoices as (
    select day, backend, category,
        case when backend = 'aws_gpu' and count(distinct invoice_id) = 1
            then nullif(regexp_replace(min(invoice_id), '^\d{4}-\d{2}$', ''), '') end as invoice_id
    from {{ ref('int_invoice_days') }} where {{ in_piece('day') }} group by 1, 2, 3
),
whole as (
    select day, backend, is_billed, is_storage_measured, is_network_measured
    from {{ ref('int_day_totals') }} where {{ in_piece('day') }}
),
-- what an hour came to on the day
spot as (
    select day, backend, sku, (cost_usd::double * 3600 / paid_seconds)::decimal(18, 12) as usd_per_hour
    from {{ ref('worker_time') }}
    where spot_priced_seconds > 0 and {{ in_piece('day') }}
),
priced as (
    select summed.*,
        kind in ('run', 'failed_run', 'boot', 'idle')
            or (kind = 'storage' and coalesce(is_storage_measured, false))
            or (kind = 'network' and coalesce(is_network_measured, false)) as is_measured,
        case kind when 'tax' then 'Tax' when 'credit' then 'Credit'
            when 'unexplained' then 'Adjustment'
            else case when usd < 0 then 'Adjustment' else 'Usage' end
        end as charge_category,
        coalesce(bills.currency, 'USD') as currency, coalesce(units_per_usd, 1) as rate,
        coalesce(bills.is_by_assumed_rate, false) or coalesce(prices.is_by_assumed_rate, false)
            as is_by_assumed_rate, account, invoice_id,
        case when spot.sku is not null then 'machine_hour' else prices.unit end as unit,
        coalesce(spot.usd_per_hour, prices.price_usd) as price_usd,
        case when spot.sku is not null
            then prices.list_price_usd * 3600 / prices.unit_seconds else prices.list_price_usd
        end::decimal(18, 12) as list_price_usd,
        prices.valid_from,
        spot.sku is not null or prices.list_price_usd <> prices.price_usd as is_spot
    from summed
    left join bills using (day, backend)
    left join whole using (day, backend)
    left join invoices on summed.day = invoices.day and summed.backend = invoices.backend
        and invoices.category = case
            when kind in ('run', 'failed_run', 'boot', 'idle', 'unexplained')
                then case when is_billed then 'compute' end
            when kind = 'storage' and is_storage_measured then null
            when kind = 'network' and is_network_measured then null
            else kind
        end
    left join spot
        on summed.day = spot.day and summed.backend = spot.backend and summed.sku = spot.sku
    left join {{ ref('stg_prices') }} as prices
        on summed.backend = prices.backend and summed.sku = prices.sku
        and (summed.day::timestamp at time zone 'UTC') >= prices.valid_from
        and (summed.day::timestamp at time zone 'UTC') < prices.valid_to
),
-- without a price, and for costs other than machines, the unit is the day at its cost
counted as (
    select *, (usd * rate)::decimal(38, 9) as billed,
        case
            when charge_category <> 'Usage' then null
            when price_usd > 0 then (
                ledger.half_even(ledger.to_nano(usd) * 1000000000, ledger.to_nano(price_usd))::decimal(20, 0)
                * 0.000000001::decimal(9, 9)
            )::decimal(20, 9)
            else 1::decimal(20, 9)
        end as quantity,
        case
            when charge_category <> 'Usage' then null
            when price_usd > 0 then (list_price_usd * rate)::decimal(18, 9)
            else (usd * rate)::decimal(18, 9)
        end as unit_price,
        case
            when charge_category <> 'Usage' then null
            when coalesce(price_usd, 0) = 0 then 'Days'
            when unit = 'gpu_second' then 'Seconds'
            when unit = 'machine_hour' then 'Hours'
            else 'Minutes'
        end as quantity_unit
    from priced
),
named as (
    select *,
        case backend
            when 'runpod' then 'RunPod' when 'aws_gpu' then 'AWS' when 'gcp_gpu' then 'Google Cloud'
            when 'openai' then 'OpenAI' when 'pyannote_ai' then 'pyannoteAI'
            when 'local' then 'Own machine' else backend
        end as provider,
        case
            when kind = 'storage' then case backend
                when 'aws_gpu' then 'Amazon EBS' when 'gcp_gpu' then 'Persistent Disk'
                else backend || ' storage' end
            when kind = 'network' then case backend
                when 'aws_gpu' then case when is_measured then 'Amazon VPC' else 'AWS Data Transfer' end
                when 'gcp_gpu' then 'Google Cloud networking'
                else backend || ' network' end
            when backend = 'runpod' then 'RunPod Serverless'
            when backend = 'aws_gpu' then 'Amazon EC2'
            when backend = 'gcp_gpu' then 'Compute Engine'
            when backend = 'local' then 'Own machine'
            else 'Transcription API'
        end as service,
        charge_category = 'Usage' as is_usage,
        backend || '/' || case when is_measured and sku <> '' then sku else kind end as sku_id
    from counted
)
select
    day,
    billed as "BilledCost", billed as "EffectiveCost",
    coalesce((unit_price * quantity)::decimal(38, 18), billed::decimal(38, 18)) as "ListCost",
    billed as "ContractedCost",
    coalesce(account, 'escriba') as "BillingAccountId",
    coalesce(provider || ' ' || account, 'Escriba') as "BillingAccountName", currency as "BillingCurrency",
    (date_trunc('month', day)::timestamp at time zone 'UTC') as "BillingPeriodStart",
    ((date_trunc('month', day) + interval 1 month)::timestamp at time zone 'UTC') as "BillingPeriodEnd",
    (day::timestamp at time zone 'UTC') as "ChargePeriodStart",
    ((day + 1)::timestamp at time zone 'UTC') as "ChargePeriodEnd",
    charge_category as "ChargeCategory", null::varchar as "ChargeClass",
    service || ' ' || sku || ': ' || kind as "ChargeDescription",
    case when is_usage then 'Usage-Based' else 'One-Time' end as "ChargeFrequency",
    null::varchar as "CommitmentDiscountStatus",
    case
        when not is_usage then null
        when unit = 'audio_minute' and kind in ('run', 'failed_run')
            then (paid_audio_seconds / 60)::decimal(20, 9)
        when kind in ('run', 'failed_run') then seconds::decimal(20, 9)
        else quantity
    end as "ConsumedQuantity",
    case
        when is_usage and unit <> 'audio_minute' and kind in ('run', 'failed_run') then 'Seconds'
        when is_usage and unit is null and kind in ('run', 'failed_run') then 'Seconds'
        else quantity_unit
    end as "ConsumedUnit",
    provider as "HostProviderName", invoice_id as "InvoiceId", null::varchar as "InvoiceDetailId",
    provider as "InvoiceIssuerName", unit_price as "ListUnitPrice",
    case when is_usage then case when coalesce(is_spot, false) then 'Dynamic' else 'Standard' end end
        as "PricingCategory",
    'USD' as "PricingCurrency",
    case when is_usage then
        case when price_usd > 0 then price_usd else usd end::decimal(18, 9)
    end as "PricingCurrencyContractedUnitPrice",
    usd::decimal(38, 9) as "PricingCurrencyEffectiveCost",
    case when is_usage then
        case when price_usd > 0 then list_price_usd else usd end::decimal(18, 9)
    end as "PricingCurrencyListUnitPrice",
    quantity as "PricingQuantity", quantity_unit as "PricingUnit",
    provider as "ProviderName", provider as "PublisherName",
    case
        when kind = 'storage' then 'Storage' when kind = 'network' then 'Networking'
        when backend in ('runpod', 'aws_gpu', 'gcp_gpu', 'local') then 'Compute'
        else 'AI and Machine Learning'
    end as "ServiceCategory",
    service as "ServiceName", provider as "ServiceProviderName",
    case
        when kind = 'storage' then 'Block Storage' when kind = 'network' then 'Network Connectivity'
        when backend = 'runpod' then 'Serverless Compute'
        when backend in ('aws_gpu', 'gcp_gpu', 'local') then 'Virtual Machines'
        else 'AI Platforms'
    end as "ServiceSubcategory",
    case when is_usage then sku_id end as "SkuId",
    case when is_usage then case
        when kind in ('storage', 'network', 'other') then kind
        when unit = 'audio_minute' then 'audio minutes'
        when unit = 'machine_hour' then 'machine hours'
        else 'machine seconds'
    end end as "SkuMeter",
    case when is_usage then json_object('x_Unit', coalesce(unit, 'day'))::varchar end as "SkuPriceDetails",
    case when is_usage then
        sku_id || coalesce('@' || strftime(valid_from, '%Y-%m-%d'), '')
        || case when coalesce(is_spot, false) then '/spot' else '' end
    end as "SkuPriceId",
    case when tenant <> 'unallocated' then tenant end as "SubAccountId",
    case when tenant <> 'unallocated' then tenant end as "SubAccountName",
    backend as "x_Backend", sku as "x_Sku", model as "x_Model", kind as "x_Charge",
    case when is_measured then 'measured' else 'billed' end as "x_CostSource",
    usd::decimal(38, 9) as "x_CostUsd",
    is_by_assumed_rate as "x_IsByAssumedRate",
    coalesce(audio_seconds, 0)::double as "x_AudioSeconds"
from named
