{{ config(materialized="incremental", incremental_strategy="delete+insert", unique_key="market_id") }}

with changed as (
    {{ texts_to_read(found_markers("kind_text", "source_text")) }}
),

found as (
    select
        market_id,
        {{ found_markers("kind_text", "source_text") }} as markers,
        text_hash,
    from changed
)

select * from found
