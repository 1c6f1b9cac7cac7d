{#- One side of a market that can be bought: what it is called, what it is bought as, its quotes in
    dollars a contract. A quote or a size that the venue did not give is null. -#}
{% macro outcome(label, token_id, bid_price="null", ask_price="null", ask_size="null") -%}
    struct_pack(
                label := {{ label }},
                token_id := {{ token_id }},
                bid_price := cast({{ bid_price }} as decimal(12, 8)),
                ask_price := cast({{ ask_price }} as decimal(12, 8)),
                ask_size := cast({{ ask_size }} as decimal(28, 8))
            )
{%- endmacro %}


{#- Rules may hold HTML: tags out, white space single. Null when nothing is left. -#}
{% macro plain_text(text) -%}
    nullif(trim(regexp_replace(regexp_replace({{ text }}, '<[^>]{0,200}>', ' ', 'g'), '\s+', ' ', 'g')), '')
{%- endmacro %}


{#- The venue's page of a market, for a person to open; null when a part of it is not plain letters, digits,
    dashes, dots and underscores, because venues' texts are not to be trusted. Kalshi shows a whole event a
    page, and takes any word in the place of its title. -#}
{% macro market_url(platform, series_id, event_id, slug) -%}
    {%- set plain = "[A-Za-z0-9][A-Za-z0-9._-]*" -%}
    case
            when
                {{ platform }} = 'kalshi'
                and regexp_full_match({{ series_id }}, '{{ plain }}')
                and regexp_full_match({{ event_id }}, '{{ plain }}')
                then concat_ws('/', 'https://kalshi.com/markets', lower({{ series_id }}), 'event', lower({{ event_id }}))
            when {{ platform }} = 'polymarket' and regexp_full_match({{ slug }}, '{{ plain }}')
                then 'https://polymarket.com/market/' || {{ slug }}
        end
{%- endmacro %}
