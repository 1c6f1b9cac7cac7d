-- What was found when is not found again: no refresh forgets it.
{{ config(
    materialized="incremental", incremental_strategy="delete+insert", unique_key="sighting_id", full_refresh=false
) }}

-- A what-if of a moment in the past was not seen then, and is no history.
with sightings as (
    select found.*
    from {{ ref("found_opportunities") }} as found
    inner join {{ ref("pricing_clock") }} as clock on not clock.is_past
)

select * from sightings
