{{ config(
    materialized="incremental",
    incremental_strategy="append",
    post_hook="{{ drop_gone('words_hash', 'market_words') }}"
) }}

with changed as (
    select * from {{ ref("market_words") }}
    where {{ is_not_held("words_hash", "market_words.words_hash") }}
),

changed_terms as (
    {{ rows_of("contract_terms", "changed") }}
),

terms as (
    select
        terms.market_id,
        terms.universe,
        terms.platform,
        terms.window_ends_on,
        terms.window_ends_at,
        terms.window_time,
        terms.is_game,
        terms.word_key,
        coalesce(terms.amount_low, terms.amount_high) as amount,
        changed.names,
        changed.words_hash,
    from changed
    inner join changed_terms as terms on changed.market_id = terms.market_id
),

names as (
    select
        * exclude (names),
        unnest(names) as name,
    from terms
),

same_words as (
    select
        market_id,
        'same_words' as blocking_rule,
        word_key as blocking_key,
    from terms
    where word_key != ''
),

-- A game that is over after midnight is on another day for one of the venues.
same_game as (
    select
        market_id,
        'same_game' as blocking_rule,
        concat_ws(' ', window_ends_on + nearby.days, name) as blocking_key,
    from names
    inner join (values (-1), (0), (1)) as nearby (days) on nearby.days = 0 or names.platform = 'polymarket'
    where is_game
),

same_instant as (
    select
        market_id,
        'same_instant' as blocking_rule,
        concat_ws(' ', window_ends_at, amount) as blocking_key,
    from terms
    where window_time is not null and window_ends_at is not null and amount is not null
),

same_amount as (
    select
        market_id,
        'same_amount' as blocking_rule,
        concat_ws(' ', window_ends_on, amount, name) as blocking_key,
    from names
    where window_ends_on is not null and amount is not null
),

same_names as (
    select
        one.market_id,
        'same_names' as blocking_rule,
        concat_ws(' ', one.window_ends_on, one.name, other.name) as blocking_key,
    from names as one
    inner join names as other on one.market_id = other.market_id and one.name < other.name
    where one.window_ends_on is not null and not one.is_game
),

keys as (
    select distinct
        terms.universe,
        terms.platform,
        found.*,
        terms.words_hash,
    from (
        {% for rule in blocking_rules() -%}
        {{ "union all" if not loop.first }}
        select * from {{ rule }}
        {% endfor -%}
    ) as found
    inner join terms on found.market_id = terms.market_id
)

select * from keys
