{#- The markets to read: whose texts changed since this model read them, or all of them when the way
    of reading did (the functions, the vocabulary, the model itself). Prices and clocks are no text. -#}
{% macro markets_with_new_texts() -%}
    {%- set reading = local_md5(
        create_word_functions() ~ create_window_functions() ~ create_rule_functions() ~ model.raw_code
    ) -%}
    select
        texts.*,
        silver.normalised_text(texts.title) as title_text,
        case when texts.platform = 'kalshi' then silver.normalised_text(texts.subtitle) else '' end as subtitle_text,
        silver.normalised_text(texts.description) as rules_text,
    from (
        select
            *,
            md5(cast([
                '{{ reading }}', vocabulary.hash, title, subtitle, event_title, description, resolution_source, event_type,
                cast(expected_at as varchar), cast(list_transform(outcomes, lambda side: side.label) as varchar)
            ] as varchar)) as text_hash,
        from {{ ref("markets") }}
        cross join (
            select
                md5(concat_ws(
                    chr(31),
                    (select string_agg(word || ' ' || canonical, ',' order by word) from {{ ref("word_aliases") }}),
                    (select string_agg(marker || ' ' || pattern, ',' order by marker) from {{ ref("rule_markers") }}),
                    (select string_agg(clause || ' ' || sentence, ',' order by sentence) from {{ ref("rule_clauses") }})
                )) as hash,
        ) as vocabulary
        where has_two_outcomes and not is_parlay
    ) as texts
    {% if is_incremental() -%}
    left join {{ this }} as held on texts.market_id = held.market_id
    where held.text_hash is distinct from texts.text_hash
    {%- endif %}
{%- endmacro %}
