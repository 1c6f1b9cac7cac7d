{#- The few rarest words of each market of one venue, of those that both venues use. -#}
{% macro rarest_words(platform) -%}
    select
        market_words.universe,
        market_words.market_id,
        market_words.word,
        words.weight,
    from (
        select
            universe,
            market_id,
            unnest(topic_words) as word,
        from {{ platform }}
    ) as market_words
    inner join words on market_words.universe = words.universe and market_words.word = words.word
    where words.kalshi_markets > 0 and words.polymarket_markets > 0
    qualify row_number() over (
        partition by market_words.market_id order by words.weight desc, market_words.word
    ) <= 4
{%- endmacro %}
