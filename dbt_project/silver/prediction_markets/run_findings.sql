-- What was found at a time cannot be built again.
{{ config(materialized="incremental", incremental_strategy="append", full_refresh=false) }}

with newest as (
    select distinct run_id
    from {{ ref("sweeps") }}
    where load_id = (select max(load_id) from {{ ref("sweeps") }})
),

unjudged as (
    select
        count(*) as pairs_unevaluated,
        count(*) filter (starts_with(reason, 'over the budget')) as pairs_over_budget,
    from {{ ref("pair_verdicts") }}
    where relation = 'unevaluated'
),

found as (
    select count(*) as opportunities_found
    from {{ ref("opportunities") }}
    where kind = 'pair' and status != 'expired'
),

-- Opportunities and questions are those of this build, so they belong to the newest run only.
run_findings as (
    select
        newest.run_id,
        found.opportunities_found,
        unjudged.pairs_unevaluated,
        unjudged.pairs_over_budget,
    from newest
    cross join found
    cross join unjudged
    {% if is_incremental() -%}
    where newest.run_id not in (select held.run_id from {{ this }} as held)
    {%- endif %}
)

select * from run_findings
