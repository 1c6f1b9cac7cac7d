{{ config(
    materialized="incremental",
    incremental_strategy="delete+insert",
    unique_key="market_id",
    post_hook="{{ drop_gone('market_id', 'contract_texts') }}"
) }}

with changed as (
    {{ texts_to_read(
        create_word_functions(),
        seed_digest("word_aliases", ["word", "canonical"])
        ~ " || " ~ seed_digest("team_names", ["team", "name", "league", "is_full"])
        ~ " || " ~ seed_digest("party_names", ["party", "name", "country"]),
        ["contract_markers"]
    ) }}
),

-- Where a name is somebody's: in a league, in a country.
known_names as (
    select
        name,
        team as code,
        league,
        is_full,
        null as country,
    from {{ ref("team_names") }}
    union all by name
    select
        name,
        party as code,
        country,
    from {{ ref("party_names") }}
),

vocabulary as (
    select
        (select map(list(word), list(canonical)) from {{ ref("word_aliases") }}) as canonical_words,
        (select list(distinct country) from {{ ref("party_names") }}) as all_countries,
),

said as (
    select
        changed.*,
        -- No name has such a sign.
        concat_ws(chr(31), title_text, subtitle_text, outcomes_text, event_text) as said_text,
        markers.markers,
        array_to_string(markers.markers, ' ') as marker_text,
        -- "Will the Ravens lead the Bengals?" leaves the league to the rules.
        if(category = 'sports' and not regexp_matches(marker_text, 'league:'), rules_text, null) as league_text,
        not regexp_matches(marker_text, 'league:(nba|wnba|nfl|mlb|nhl)\b') as may_be_any,
        case
            when category in ('politics', 'world', 'geopolitics')
                then list_intersect(silver.telling_words(said_text, canonical_words), all_countries)
        end as said_countries,
    from changed
    cross join vocabulary
    inner join {{ ref("contract_markers") }} as markers on changed.market_id = markers.market_id
),

placed as (
    select
        market_id,
        text_hash,
        said_text,
        league_text,
        may_be_any,
        list_transform(
            list_filter(markers, lambda marker: starts_with(marker, 'league:')),
            lambda marker: split_part(marker, ':', 2)
        )
        -- A game of two clubs often does not say of what, and those of basketball are called as those of soccer.
        || if(
            may_be_any and (category = 'sports' or regexp_matches(marker_text, 'league:'))
            and not coalesce(regexp_matches(league_text, '\b(nba|wnba|nfl|mlb|nhl)\b'), false),
            ['soccer'], []
        ) as leagues,
        -- The rules are asked where the titles name no country.
        case
            when len(said_countries) > 0 then said_countries
            when said_countries is not null
                then list_intersect(silver.telling_words(rules_text, canonical_words), all_countries)
        end as countries,
        -- A national election is not of the National Party.
        case
            when said_countries is not null then regexp_extract_all(
                    silver.normalised_text(silver.names(concat_ws(
                        ' , ', title, subtitle, array_to_string(outcome_labels, ' , '), event_title
                    ))), '[a-z0-9]+'
                )
        end as capitals,
    from said
    cross join vocabulary
),

words as (
    select
        *,
        unnest(list_distinct(regexp_extract_all(said_text, '[a-z0-9]+'))) as word,
    from placed
),

-- A name that is two of them here is nobody's.
found as (
    select
        words.market_id,
        known_names.name,
        any_value(known_names.code) as code,
    from words
    inner join known_names
        on words.word = regexp_extract(known_names.name, '[a-z0-9]+')
            and contains(words.said_text, known_names.name)
            and if(
                known_names.country is not null,
                list_contains(words.countries, known_names.country)
                and (list_contains(words.capitals, words.word) or regexp_matches(words.word, '^\d')),
                list_contains(words.leagues, known_names.league)
                or regexp_matches(words.league_text, '\b' || known_names.league || '\b')
                or (known_names.is_full and may_be_any)
            )
    group by words.market_id, known_names.name
    having count(distinct known_names.code) = 1
),

spelled as (
    select
        market_id,
        list(name || '=' || code order by length(name) desc, name) as spellings,
    from found
    group by market_id
),

names as (
    select
        placed.market_id,
        coalesce(spelled.spellings, []) as spellings,
        placed.text_hash,
    from placed
    left join spelled on placed.market_id = spelled.market_id
)

select * from names
