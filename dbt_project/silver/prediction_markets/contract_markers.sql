{{ config(
    materialized="incremental",
    incremental_strategy="delete+insert",
    unique_key="market_id",
    post_hook="{{ drop_gone('market_id', 'contract_texts') }}"
) }}

with changed as (
    {{ texts_to_read(found_markers("kind_text", "condition_text", "source_text")) }}
),

found as (
    select
        market_id,
        {{ found_markers("kind_text", "condition_text", "source_text") }} as markers,
        -- Titles shorten: what the condition of the rules says of that which is looked for in titles.
        {{ found_markers("condition_text", "''", "''") }} as condition_markers,
        text_hash,
    from changed
)

select * from found
