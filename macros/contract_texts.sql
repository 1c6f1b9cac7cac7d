{#- The markets whose texts changed since this model read them. Prices and clocks change no text. -#}
{% macro markets_with_new_texts() -%}
    select
        texts.*,
        silver.normalised_text(texts.title) as title_text,
        case when texts.platform = 'kalshi' then silver.normalised_text(texts.subtitle) else '' end as subtitle_text,
        silver.normalised_text(texts.description) as rules_text,
    from (
        select
            *,
            md5(concat_ws(
                chr(31), title, subtitle, event_title, description, event_type, expected_at,
                list_transform(outcomes, lambda side: side.label)
            )) as text_hash,
        from {{ ref("markets") }}
        where has_two_outcomes and not is_parlay
    ) as texts
    {% if is_incremental() -%}
    left join {{ this }} as held on texts.market_id = held.market_id
    where held.text_hash is distinct from texts.text_hash
    {%- endif %}
{%- endmacro %}
