{{ config(
    materialized="incremental",
    incremental_strategy="delete+insert",
    unique_key="market_id",
    post_hook="{{ drop_gone('market_id', 'contract_texts') }}"
) }}

with changed as (
    {{ texts_to_read(
        create_word_functions() ~ create_amount_functions() ~ create_window_functions() ~ kind_words() ~ negations() ~ central_banks(),
        seed_digest("word_aliases", ["word", "canonical"]),
        ["contract_amounts", "contract_names"]
    ) }}
),

vocabulary as (
    select map(list(word), list(canonical)) as canonical_words,
    from {{ ref("word_aliases") }}
),

-- A team is called by its city on one venue and by its nickname on the other, a party by its letters: all become
-- its code.
spoken as (
    select
        changed.*,
        canonical_words,
        names.spellings,
        coalesce(amounts.amount_mention, chr(31)) as amount_mention,
        {% for text in ["title", "subtitle", "event", "outcomes", "rules"] -%}
        silver.with_codes({{ text }}_text, names.spellings) as {{ text }}_said,
        {% endfor -%}
    from changed
    cross join vocabulary
    inner join {{ ref("contract_amounts") }} as amounts on changed.market_id = amounts.market_id
    inner join {{ ref("contract_names") }} as names on changed.market_id = names.market_id
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
        list_transform(
            spellings,
            lambda spelling: struct_pack(
                code := silver.word_stem(split_part(spelling, '=', 2)),
                words := silver.telling_words(split_part(spelling, '=', 1), canonical_words)
            )
        ) as named,
        list_transform(named, lambda name: name.code) as team_codes,
        -- "The US or Israel", but not "3 or more".
        list_filter(
            silver.telling_words(
                array_to_string(
                    regexp_extract_all(replace(silver.countable(title_said), amount_mention, ' '), '\S+ or \S+')
                    -- Bodø/Glimt is one club.
                    || if(
                        category = 'sports', [],
                        regexp_extract_all(silver.plain_letters(title), '[A-Z][a-z]+/[A-Z][a-z]+')
                    ), ' '
                ), canonical_words
            ),
            lambda word: not list_contains(
                {{ comparison_words() }} || ['or', 'stronger', 'weaker', 'better', 'wors', 'larger', 'smaller'], word
            )
        ) as alternatives,
        list_transform(
            string_split(outcomes_said, ' , '), lambda label: silver.telling_words(label, canonical_words)
        ) as outcome_words,
        list_distinct(silver.telling_words(rules_said, canonical_words)) as rules_words,
        silver.common_words(coalesce(description, ''), canonical_words) as common_words,
        silver.telling_words(silver.normalised_text(silver.names(title)), canonical_words) as title_capitals,
        silver.telling_words(silver.normalised_text(silver.names(subtitle)), canonical_words) as subtitle_capitals,
        text_hash,
    from spoken
),

subjects as (
    select
        market_id,
        -- Whom it is about: the names in the subtitle, if it is one of many of its event.
        list_sort(list_distinct(list_filter(
            subtitle_words,
            lambda word: (list_contains(subtitle_capitals, word) or list_contains(team_codes, word))
            and not list_contains({{ kind_words() }} || {{ negations() }}, word)
        ))) as subject_words,
        common_words,
        list_distinct(flatten(list_transform(
            -- Of a longer name ("Atletico Mineiro") a word may be somebody else's.
            list_filter(named, lambda name: list_contains(subject_words, name.code) and len(name.words) = 1),
            lambda name: name.words
        ))) as subject_names,
        -- What is said of the side: title and subtitle, and of named sides who they are.
        list_sort(list_distinct(
            title_words || subtitle_words
            || if(
                event_type = 'head_to_head' and not list_contains(outcome_words[1], 'over'),
                flatten(outcome_words), []
            )
        )) as topic_words,
        list_sort(list_distinct(event_words)) as event_topic_words,
        -- What the venue calls it is told too: the other one may not say in which league, and have no code of it.
        list_distinct(rules_words || subject_names) as rules_words,
        title_words as ordered_words,
        outcome_words,
        alternatives,
        list_sort(list_distinct(list_filter(
            title_words,
            lambda word: (
                list_contains(title_capitals, word) or list_contains(team_codes || {{ central_banks() }}, word)
            )
            and not list_contains({{ kind_words() }}, word)
        ))) as title_names,
        text_hash,
    from worded
)

select * from subjects
