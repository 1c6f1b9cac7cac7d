{{ config(materialized="incremental", incremental_strategy="delete+insert", unique_key="market_id") }}

with kalshi as (
    select
        'kalshi' as platform,
        ticker as external_id,
        event_ticker as event_id,
        split_part(event_ticker, '-', 1) as series_id,
        title,
        yes_sub_title as subtitle,
        {{ plain_text("concat_ws(chr(10) || chr(10), rules_primary, rules_secondary)") }} as description,
        strike_type,
        floor_strike,
        cap_strike,
        null as sports_market_type,
        null as slug,
        concat_ws(chr(10) || chr(10), rules_primary, rules_secondary) as rules_as_sent,
        null as resolution_source,
        null as listed_category,
        null as listed_event_title,
        case when market_type = 'scalar' then 'scalar' else 'binary' end as event_type,
        status as venue_status,
        [
            {{ outcome("'Yes'", "ticker || ':yes'", "yes_bid_price", "yes_ask_price", "yes_ask_size") }},
            {{ outcome("'No'", "ticker || ':no'", "no_bid_price", "no_ask_price", "yes_bid_size") }}
        ] as outcomes,
        record_number,
        volume_contracts as volume,
        volume_24h_contracts as volume_24h,
        null as liquidity,
        status = 'active' as is_active,
        status not in ('initialized', 'unopened', 'inactive', 'active', 'paused') as is_closed,
        is_parlay,
        len(rejections) > 0 as is_rejected,
        close_at as end_at,
        coalesce(occurrence_at, expected_expiration_at) as expected_at,
        fetched_at,
        load_id,
    from {{ ref("kalshi_markets") }}
    where
        not is_gone
        and ticker is not null
        and {{ is_new_record("kalshi") }}
),

polymarket as (
    select
        'polymarket' as platform,
        polymarket_id as external_id,
        event_id,
        null as series_id,
        question as title,
        group_item_title as subtitle,
        {{ plain_text("coalesce(description, nested_event_description)") }} as description,
        null as strike_type,
        null as floor_strike,
        null as cap_strike,
        sports_market_type,
        slug,
        coalesce(description, nested_event_description) as rules_as_sent,
        resolution_source,
        category as listed_category,
        nested_event_title as listed_event_title,
        case
            when market_type = 'scalar' then 'scalar'
            when list_sort(outcome_labels) = ['No', 'Yes'] then 'binary'
            when len(outcome_labels) = 2 then 'head_to_head'
            else 'categorical'
        end as event_type,
        case
            when is_closed then 'closed'
            -- Traded on until it is settled, and settled by whoever wins the dispute.
            when is_active and resolution_status is not null then 'in review'
            when is_active then 'active'
            else 'inactive'
        end as venue_status,
        case
            when len(outcome_labels) = 2
                then [
                        {{ outcome("outcome_labels[1]", "token_ids[1]", "best_bid_price", "best_ask_price") }},
                        {{ outcome("outcome_labels[2]", "token_ids[2]", "1 - best_ask_price", "1 - best_bid_price") }}
                    ]
            else list_transform(list_zip(outcome_labels, token_ids), lambda side: {{ outcome("side[1]", "side[2]") }})
        end as outcomes,
        record_number,
        volume_usd as volume,
        volume_24h_usd as volume_24h,
        liquidity_usd as liquidity,
        is_active and not is_archived and coalesce(is_accepting_orders, true) as is_active,
        is_closed,
        false as is_parlay,
        len(rejections) > 0 as is_rejected,
        end_at,
        game_start_at as expected_at,
        fetched_at,
        load_id,
    from {{ ref("polymarket_markets") }}
    where
        not is_gone
        and polymarket_id is not null
        and {{ is_new_record("polymarket") }}
),

new_listings as (
    select
        platform || ':' || external_id as market_id,
        *,
    from (
        select * from kalshi
        union all by name
        select * from polymarket
    ) as records
),

latest as (
    select * from new_listings
    qualify row_number() over (partition by market_id order by fetched_at desc, record_number desc) = 1
)

select * from latest
{{ unless_newer_is_held("market_id") }}
