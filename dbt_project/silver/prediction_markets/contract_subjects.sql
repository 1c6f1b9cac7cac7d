{{ config(materialized="incremental", incremental_strategy="delete+insert", unique_key="market_id") }}

with changed as (
    {{ texts_to_read(
        create_word_functions() ~ create_amount_functions() ~ create_window_functions(),
        seed_digest("word_aliases", ["word", "canonical"])
        ~ " || " ~ seed_digest("team_names", ["team", "name"])
    ) }}
),

markers as (
    select * from {{ ref("contract_markers") }}
),

team_names as (
    select * from {{ ref("team_names") }}
),

vocabulary as (
    select map(list(word), list(canonical)) as canonical_words,
    from {{ ref("word_aliases") }}
),

-- A team is called by its city on one venue and by its nickname on the other: both become its code.
teams as (
    select
        changed.market_id,
        list(
            team_names.name || '=' || team_names.team order by length(team_names.name) desc, team_names.name
        ) as names,
    from changed
    inner join markers on changed.market_id = markers.market_id
    inner join team_names
        on list_contains(markers.markers, 'league:' || team_names.league)
            or (
                team_names.is_full
                and not regexp_matches(array_to_string(markers.markers, ' '), 'league:(nba|wnba|nfl|mlb|nhl)\b')
            )
    where
        contains(changed.title_text, team_names.name)
        or contains(changed.subtitle_text, team_names.name)
        or contains(changed.outcomes_text, team_names.name)
        or contains(changed.event_text, team_names.name)
    group by changed.market_id
),

spoken as (
    select
        changed.*,
        canonical_words,
        coalesce(teams.names, []) as spellings,
        coalesce(amounts.amount_mention, chr(31)) as amount_mention,
        {% for text in ["title", "subtitle", "event", "outcomes", "rules"] -%}
        silver.with_teams({{ text }}_text, spellings) as {{ text }}_said,
        {% endfor -%}
    from changed
    cross join vocabulary
    inner join {{ ref("contract_amounts") }} as amounts on changed.market_id = amounts.market_id
    left join teams on changed.market_id = teams.market_id
),

worded as (
    select
        market_id,
        universe,
        platform,
        event_type,
        {% for text in ["title", "subtitle", "event"] -%}
        silver.topic_words({{ text }}_said, amount_mention, canonical_words) as {{ text }}_words,
        {% endfor -%}
        list_transform(spellings, lambda spelling: silver.word_stem(split_part(spelling, '=', 2))) as team_codes,
        -- "The US or Israel", but not "3 or more".
        list_contains(
            silver.telling_words(replace(silver.countable(title_said), amount_mention, ' '), canonical_words), 'or'
        ) or regexp_matches(title, '[A-Za-z]{2}/[A-Z][a-z]') as has_alternative,
        list_transform(
            string_split(outcomes_said, ' , '), lambda label: silver.telling_words(label, canonical_words)
        ) as outcome_words,
        list_distinct(silver.telling_words(rules_said, canonical_words)) as rules_words,
        silver.telling_words(silver.normalised_text(silver.names(title)), canonical_words) as title_capitals,
        silver.telling_words(silver.normalised_text(silver.names(subtitle)), canonical_words) as subtitle_capitals,
        text_hash,
    from spoken
),

subjects as (
    select
        market_id,
        -- What is said of the side: title and subtitle, and of named sides who they are.
        list_sort(list_distinct(
            title_words || subtitle_words
            || if(
                event_type = 'head_to_head' and not list_contains(outcome_words[1], 'over'),
                flatten(outcome_words), []
            )
        )) as topic_words,
        list_sort(list_distinct(event_words)) as event_topic_words,
        rules_words,
        title_words as ordered_words,
        outcome_words,
        has_alternative,
        -- Whom it is about: the names in the subtitle, if it is one of many of its event.
        list_sort(list_distinct(list_filter(
            subtitle_words,
            lambda word: (list_contains(subtitle_capitals, word) or list_contains(team_codes, word))
            and not list_contains({{ kind_words() }}, word)
        ))) as subject_words,
        list_sort(list_distinct(list_filter(
            title_words,
            lambda word: (list_contains(title_capitals, word) or list_contains(team_codes, word))
            and not list_contains({{ kind_words() }}, word)
        ))) as title_names,
        text_hash,
    from worded
)

select * from subjects
