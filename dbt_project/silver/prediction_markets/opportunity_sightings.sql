-- What was found when is not found again: no refresh forgets it.
{{ config(
    materialized="incremental", incremental_strategy="delete+insert", unique_key="sighting_id", full_refresh=false
) }}

-- A what-if of a moment in the past was not seen then, and is no history. What is active is so once its build has
-- passed (note_build_end): one that is killed tells nobody.
with sightings as (
    select
        found.* replace (
            'suspect' as status,
            if(found.status = 'active', ['{{ not_passed() }}'], found.suspect_reasons) as suspect_reasons
        ),
    from {{ ref("found_opportunities") }} as found
    inner join {{ ref("pricing_clock") }} as clock on not clock.is_past
)

select * from sightings
