{{ config(
    materialized="incremental",
    incremental_strategy="delete+insert",
    unique_key="market_id",
    post_hook="{{ drop_gone('market_id', 'contract_texts') }}"
) }}

{%- set denial = "neither|nor|never|none|nobody|fails?|(?:do|does|did|is|are|was|were|has|have|had|will) not" %}

with changed as (
    {{ texts_to_read(
        create_word_functions() ~ create_window_functions() ~ create_rule_functions()
        ~ telling_stems("") ~ without_relatives(""),
        seed_digest("word_aliases", ["word", "canonical"])
        ~ " || " ~ seed_digest("rule_clauses", ["clause", "sentence"]),
        ["contract_windows"]
    ) }}
),

windows as (
    select * from {{ ref("contract_windows") }}
),

vocabulary as (
    select
        (select map(list(word), list(canonical)) from {{ ref("word_aliases") }}) as canonical_words,
        (
            select map(list(silver.undated(silver.sentence_words(sentence))), list(clause))
            from {{ ref("rule_clauses") }}
        ) as known_sentences,
),

-- The window's own words leave the title, the words of a dated subtitle too.
undated as (
    select
        changed.* exclude (title_text, side_text),
        windows.* exclude (market_id, platform, text_hash),
        replace(
            replace(changed.title_text, coalesce(nullif(windows.time_mention, ''), chr(31)), ' '),
            if(windows.window_source = 'title', windows.window_mention, chr(31)), ' '
        ) as title_text,
        silver.without_dates(changed.side_text) as side_text,
    from changed
    inner join windows on changed.market_id = windows.market_id
),

read_texts as (
    select
        undated.*,
        canonical_words,
        silver.telling_words(title_text, canonical_words) as title_words,
        list_filter(silver.telling_words(side_text, canonical_words), lambda word: word != 'yes') as side_words,
        concat_ws(' ', title, case when platform = 'kalshi' then subtitle end) as said_text,
        silver.telling_words(silver.normalised_text(said_text), canonical_words)
        || silver.telling_words(undated.rules_text, canonical_words) as said_words,
        silver.telling_words(
            silver.without_dates(silver.normalised_text(
                concat_ws(' ', event_title, case when platform = 'polymarket' then subtitle end)
            )),
            canonical_words
        ) as event_title_words,
        known_sentences,
        silver.sentences(coalesce(description, '')) as sentences,
    from undated
    cross join vocabulary
),

-- Steps of their own: what a SELECT says twice, it computes twice.
conditioned as (
    select
        *,
        -- What a subtitle adds to a title of many sides ("Who will win?") has no place in its order.
        list_filter(read_texts.side_words, lambda word: not list_contains(read_texts.title_words, word)) as added_words,
        list_transform(
            sentences,
            lambda sentence: struct_pack(sentence := sentence, condition := silver.condition(sentence))
        ) as read_sentences,
    from read_texts
),

divided as (
    select
        *,
        title_words || added_words as words,
        list_transform(
            list_filter(read_sentences, lambda said: said.condition is not null), lambda said: said.condition
        ) as conditions,
        -- One condition; rules that say it in another way have none.
        case when len(conditions) = 1 then conditions[1] end as condition,
        flatten(list_transform(
            list_filter(read_sentences, lambda said: said.condition is null),
            lambda said: string_split(silver.clause(said.sentence, known_sentences), '+')
        )) as all_clauses,
    from conditioned
),

wordings as (
    select
        market_id,
        added_words,
        words,
        silver.word_key(words) as word_key,
        silver.names_with_endings(said_text) as cut_names,
        -- What only the event's title says, or the group's on Polymarket.
        list_sort(list_distinct(list_filter(
            divided.event_title_words, lambda word: not list_contains(divided.said_words, word)
        ))) as event_words,
        condition,
        -- Then the condition says who does what to whom, and the title need not.
        list_has_all(silver.telling_words(condition, canonical_words), words) as is_told_by_condition,
        list_sort(list_distinct(list_filter(all_clauses, lambda clause: clause != 'harmless'))) as clauses,
        -- In which league or for which cup, as its rules call it; "the league" is none.
        {{ telling_stems("lower(array_to_string(regexp_extract_all(description, "
            ~ "'((?:[A-Z][\\w''&-]+ )+)(?:League|Cup|Premiership|Championship|Division|Trophy|Liga)\\b', 1), ' '))") }}
            as competitions,
        -- What it calls a film or a record; the sequel has one word more.
        list_sort(list_distinct(list_filter(
            silver.telling_words(
                silver.normalised_text(array_to_string(
                    regexp_extract_all(said_text, '["“]([^"“”]{2,80})["”]', 1)
                    || regexp_extract_all(said_text, '‘([^‘’]{2,80})’', 1), ' '
                )), canonical_words
            ),
            lambda word: regexp_matches(word, '^[a-z]{3,}$')
            and word not in ('season', 'part', 'episod', 'volum', 'chapter', 'movi', 'film', 'album')
        ))) as quoted_words,
        -- A weather station that only the link to the source names.
        nullif(regexp_extract(resolution_source, '/([A-Z]{4})(?:[/?]|$)', 1), '') as linked_station,
        -- "Still president" is the other side of "leaves office".
        case
            when regexp_matches(
                    title_text, '\b(still|remains?|stays?|survives?|keeps?|continues?|retains?)\b'
                ) or (regexp_matches(title_text, '\bholds?\b') and not regexp_matches(title_text, '\brates?\b'))
                then 'goes on'
            when regexp_matches(
                    title_text,
                    '\b(leaves?|out|ceases?|resigns?|relegated|collapses?|loses?|departs?|ends?( [^o]|\?|$))'
                ) then 'ends'
            -- "President through 2027".
            when is_whole_window then 'goes on'
        end as outlook,
        -- What must be for Yes is that something is not; who is no longer has only left, and "no-limit" is a game of
        -- poker.
        regexp_matches(
            regexp_replace({{ without_relatives(
                "regexp_extract(condition_text, '(?:^|yes\" )(?:if|when) (.*?)(?:\. |[;:(]|$)', 1)"
            ) }}, 'no longer|no-limit', '', 'g'),
            '(?:^|[^"“])\b(no|{{ denial }})\b'
        )
        -- A note may stand before it.
        or regexp_matches(
            {{ without_relatives("rules_text") }}, '\bif [^.;(]*\b({{ denial }})\b[^.;(]*\bresolves to yes\b'
        )
        -- "To No if it is signed. Otherwise to Yes."
        or (
            regexp_matches(condition_text, '\bresolves? to "?no"? (if|when)\b')
            and regexp_matches(rules_text, '\bto "?yes\b')
            and not regexp_matches(rules_text, '\bresolves? to "?yes"? (if|when)\b')
            and not regexp_matches({{ without_relatives("condition_text") }}, '\b(no |{{ denial }})\b')
        )
            as is_condition_negative,
        silver.is_placeholder(title_text, subtitle) as is_placeholder,
        text_hash,
    from divided
)

select * from wordings
