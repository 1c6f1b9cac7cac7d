{{ config(materialized="incremental", incremental_strategy="delete+insert", unique_key="market_id") }}

with changed as (
    {{ markets_with_new_texts() }}
),

windows as (
    select * from {{ ref("contract_windows") }}
),

vocabulary as (
    select
        (select map(list(word), list(canonical)) from {{ ref("word_aliases") }}) as canonical_words,
        (select list({ 'marker': marker, 'pattern': pattern }) from {{ ref("rule_markers") }}) as rule_patterns,
),

-- The window's own words leave the title, the words of a dated subtitle too.
undated as (
    select
        changed.* exclude (title_text, subtitle_text),
        windows.* exclude (market_id, platform, text_hash),
        replace(
            replace(changed.title_text, coalesce(nullif(windows.time_mention, ''), chr(31)), ' '),
            if(windows.window_source = 'title', windows.window_mention, chr(31)), ' '
        ) as title_text,
        case
            when windows.window_source = 'subtitle' or len(silver.date_mentions(changed.subtitle_text)) > 0 then ''
            else changed.subtitle_text
        end as subtitle_text,
    from changed
    inner join windows on changed.market_id = windows.market_id
),

worded as (
    select
        undated.*,
        canonical_words,
        silver.rule_condition(description) as condition,
        silver.telling_words(title_text, canonical_words) as title_words,
        list_filter(silver.telling_words(subtitle_text, canonical_words), lambda word: word != 'yes') as side_words,
        list_transform(
            outcomes,
            lambda side: silver.word_key(silver.telling_words(silver.normalised_text(side.label), canonical_words))
        ) as outcome_keys,
        list_transform(
            list_filter(rule_patterns, lambda rule: regexp_matches(rules_text, rule.pattern)),
            lambda rule: rule.marker
        ) as rule_markers,
    from undated
    cross join vocabulary
),

terms as (
    select
        market_id,
        platform,
        event_type,
        window_source,
        title_words || list_filter(
            worded.side_words, lambda word: not list_contains(worded.title_words, word)
        ) as words,
        silver.word_key(words) as word_key,
        array_to_string(words, ' ') as word_order,
        list_filter(words, lambda word: word[1] between '0' and '9') as numbers,
        silver.word_key(side_words) as side_key,
        outcome_keys,
        case
            when is_game then silver.word_key(list_filter(
                    title_words, lambda word: word not in ('win', 'game', 'match', 'vs', 'moneylin')
                ))
        end as game_key,
        rule_markers,
        silver.undated_words(silver.telling_words(silver.normalised_text(condition), canonical_words))
            as condition_words,
        silver.proper_names(condition) as condition_names,
        is_game,
        is_window_certain,
        rules_text != '' as has_rules,
        regexp_matches(
            title_text,
            '\b(beats?|defeats?|over|against|than|ahead|before|outperforms?|loses?|leads?|from)\b'
        ) as is_directional,
        silver.is_placeholder(title_text, subtitle) as is_placeholder,
        window_starts_on,
        window_ends_on,
        window_time,
        text_hash,
    from worded
)

select * from terms
