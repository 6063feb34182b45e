-- Grain: a recording with a cost center or a project. Guarantee: the recording's own tags apply,
-- otherwise the first matching path of its tenant, otherwise the tenant's tags; always the
-- current ones.
{{ config(materialized='table') }}
with asked as (
    select tenant, recording, substr(recording, length(tenant) + 2) as path
    from {{ ref('cost_per_recording') }}
    semi join (
        select tenant from {{ ref('stg_tag_rules') }}
        union
        select tenant from {{ ref('stg_tags') }}
    ) as told using (tenant)
),
ruled as (
    select asked.tenant, asked.recording,
        arg_min(rules.cost_center, rules.place) filter (rules.cost_center is not null) as cost_center,
        arg_min(rules.project, rules.place) filter (rules.project is not null) as project
    from asked left join {{ ref('stg_tag_rules') }} as rules
        on asked.tenant = rules.tenant
        and (rules.pattern is null or asked.path glob rules.pattern)
    group by 1, 2
),
resolved as (
    select ruled.tenant, ruled.recording,
        coalesce(own.cost_center, ruled.cost_center, '') as cost_center,
        coalesce(own.project, ruled.project, '') as project
    from ruled left join {{ ref('stg_tags') }} as own using (recording)
)
from resolved where cost_center <> '' or project <> ''
