{#- What the rules of one side say and those of the other do not, of what a score finds alike; of `kalshi`, `polymarket`
    and the pair `changed`, as silver.pair_doubts has them. -#}

{#- What sentences say that something counts, or that it does not: sentence by sentence, the words that the side's
    own title and condition have not. "House arrest does not count" of one side is denied by "house arrest qualifies" of
    the other. -#}
{% macro said_to_count(side, denied) -%}
    {%- set verb = "(?:counts?|counted|qualif\\w+|considered|included|sufficient|suffices?|constitutes?|enough|encompass\\w*|eligible|recogni[sz]ed)" -%}
    list_filter(
        list_transform(
            list_filter(
                flatten(list_transform({{ side }}.clauses, lambda clause: string_split(clause, ' ; '))),
                lambda clause: regexp_matches(clause, '\b({{ verb }}|defined as)\b')
                and regexp_matches(
                    clause, '\b(not|no|nor|neither|cannot|wont)( \w+){0,12} {{ verb }}\b|\b(excluded|ineligible)\b|\b{{ verb }} only (?:once|if|when|after)\b'
                ) = {{ denied }}
                and not regexp_matches(clause, '\b(source|reporting|consensus|count (is|of))\b|^only\b')
            ),
            lambda clause: {{ not_in(
                telling_stems("clause"),
                telling_stems("coalesce(" ~ side ~ ".condition, '')") ~ " || " ~ side ~ ".words"
            ) }}
        ),
        lambda words: len(words) > 0
    )
{%- endmacro %}


{#- Said on one side and denied on the other, be it by its condition. -#}
{% macro is_denied(sayings, denials, condition) -%}
    (
        len(list_filter(
            {{ denials }},
            lambda denied: list_has_all({{ telling_stems("coalesce(" ~ condition ~ ", '')") }}, denied)
            or len(list_filter(
                {{ sayings }},
                lambda said: len(list_intersect(said, denied)) >= least(2, len(said), len(denied))
            )) > 0
        )) > 0
    )
{%- endmacro %}


{#- "AI / Artificial Intelligence" of one side, of which the other says that the abbreviation "AI" will not count. -#}
{% macro is_word_denied(side, other) -%}
    (
        list_has_all(['mentions'], [kalshi.category, polymarket.category])
        and len(list_filter(
            {{ not_in(not_in(side ~ ".words", other ~ ".words"), negations()) }},
            lambda word: len(list_filter(
                {{ other }}.clauses,
                lambda clause: contains(' ' || clause || ' ', ' ' || word || ' ')
                and regexp_matches(clause, '\bnot (count|qualify)\b')
            )) > 0
        )) > 0
    )
{%- endmacro %}


{#- What a side's rules name after some words ("according to"): each name as it stands there. -#}
{% macro named_after(side, heads) -%}
    regexp_extract_all(
        array_to_string([coalesce({{ side }}.condition, '')] || {{ side }}.clauses, ' . '),
        '\b(?:{{ heads }}) ((?:(?:[a-z]+|&) ?){1,5})', 1
    )
{%- endmacro %}


{% macro publisher_heads() -%}
    according to|(?:published|compiled|reported|assessment) by|in average of
{%- endmacro %}


{#- Whom they name as the publisher, and where it is measured. -#}
{% macro named_words(side, heads) -%}
    list_distinct(flatten(list_transform(
        {{ named_after(side, heads) }},
        lambda name: list_filter(
            {{ telling_stems("name") }}, lambda word: word not in ('airport', 'station', 'international', 'major', 'local', 'media', 'outlet')
        )
    )))
{%- endmacro %}


{#- "BLS" for the Bureau of Labor Statistics. -#}
{% macro initials_of_publishers(side) -%}
    list_transform(
        {{ named_after(side, publisher_heads()) }},
        lambda name: silver.word_stem(array_to_string(list_transform(
            list_filter(
                string_split(regexp_replace(name, ' (in|on|at|as|with|is|are|its|to|then)\b.*', ''), ' '),
                lambda word: word not in ('of', 'for', 'and', '&', '')
            ),
            lambda word: if(word in ('us', 'uk'), word, word[1])
        ), ''))
    )
{%- endmacro %}


{#- Each side names one that the other says nowhere, and none that both do. -#}
{% macro is_named_otherwise(names) -%}
    (
        len({{ not_in("kalshi." ~ names, "polymarket.stems") }}) > 0
        and len({{ not_in("polymarket." ~ names, "kalshi.stems") }}) > 0
        and not list_has_any(
            {{ not_in("kalshi." ~ names, "kalshi.words || kalshi.event_words") }}, polymarket.{{ names }}
        )
    )
{%- endmacro %}


{#- What a side's rules say need not be, phrase by phrase, as stems. -#}
{% macro waived(side) -%}
    list_filter(
        list_transform(
            regexp_extract_all(
                array_to_string([coalesce({{ side }}.condition, '')] || {{ side }}.clauses, ' . '),
                '\b(?:not (?:need|have) to|need not|not (?:be )?required to|whether or not|regardless of whether)'
                || '((?: [a-z]+){1,6})', 1
            ),
            lambda phrase: {{ telling_stems("phrase") }}
        ),
        lambda words: len(words) > 0
    )
{%- endmacro %}


{#- One side waives what the other asks, and asks none of it. -#}
{% macro is_waived(side, other) -%}
    (
        len(list_filter(
            {{ side }}.waived,
            lambda words: list_has_all({{ other }}.condition_stems, words)
            and not list_has_all({{ side }}.condition_stems, words)
        )) > 0
    )
{%- endmacro %}


{#- What the condition leaves out. -#}
{% macro left_out(side) -%}
    {{ telling_stems(
        "regexp_replace("
        ~ "regexp_extract(coalesce(" ~ side ~ ".condition, ''), "
        ~ "'\\b(?:excluding|except|not including|items less) ((?:[a-z]+ ?){1,6})', 1), "
        ~ "'\\b(is|are|was|were|rose|rises?|falls?|fell|increases?|for|in|by|as|on|from|during)\\b.*', '')"
    ) }}
{%- endmacro %}


{#- What a condition lets in or leaves out by a phrase of its own, or as an alternative: as stems, phrase by phrase. -#}
{% macro phrases_of_condition(side) -%}
    list_filter(
        list_transform(
            regexp_extract_all(
                coalesce({{ side }}.condition, ''),
                '\b(?:including|excluding|without|except|other than)\b((?: [a-z]+){1,4})', 1
            )
            || flatten(list_transform(
                regexp_extract_all(
                    coalesce({{ side }}.condition, ''),
                    '\b[a-z]{5,} or (?:an? |the )?[a-z]{5,}'
                ),
                lambda words: string_split(words, ' or ')
            )),
            lambda phrase: list_filter(
                {{ telling_stems("phrase") }},
                lambda word: length(word) > 4 and word not in (
                    'issuanc', 'issuance', 'above', 'higher', 'fewer', 'lower', 'great', 'greater', 'earlier', 'later',
                    'below', 'equal', 'before', 'after'
                )
            )
        ),
        lambda words: len(words) > 0
    )
{%- endmacro %}


{#- "Any tariff" of one condition is not "all tariffs" of the other, nor "any part" the whole. -#}
{% macro is_any_of_all(condition, other) -%}
    (
        coalesce(
            regexp_matches({{ condition }}, '\b(any part of|at least one|one or more)\b')
            and not regexp_matches({{ other }}, '\b(any|one)\b')
            and regexp_matches({{ other }}, '\b(all|entire|whole|every)\b'), false
        )
        or
        len(list_filter(
            regexp_extract_all(coalesce({{ condition }}, ''), '\bany (?:one )?(?:of )?([a-z]{4,})', 1),
            lambda noun: regexp_matches(coalesce({{ other }}, ''), '\ball(?: of)? (?:\w+ )?' || noun[:4])
        )) > 0
    )
{%- endmacro %}


{#- Numbers that a condition asks for beside the amount: not those of days, nor of the last minute of one. -#}
{% macro numbers_of_condition(side) -%}
    list_filter(
        regexp_extract_all(regexp_replace(
            coalesce({{ side }}.condition, ''),
            '\b(?:until \S+|(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)(?: \d{1,2})?(?: 20\d\d)?|20\d\d'
            || '|11 59 pm|12 00 am|\d+(?:\.\d+)? (?:thousand|million|billion|trillion))\b| 00\b', '', 'g'
        ), '\b\d+(?:\.\d+)?\b'),
        lambda number: not coalesce(abs(cast(number as double) - cast({{ side }}.amount_low as double)) <= 1, false)
        and not coalesce(abs(cast(number as double) - cast({{ side }}.amount_high as double)) <= 1, false)
    )
{%- endmacro %}


{#- What a title of a game counts and the other side neither says nor asks. -#}
{% macro untold_topics(side, other) -%}
    list_filter(
        {{ side }}.topic_words,
        lambda word: length(word) > 1
        and not list_contains({{ kind_words() }} || [
            'anytim', 'scorer', 'goalscorer', 'scor', 'record', 'combin', 'player', 'plu', 'minu', 'over', 'under',
            'for', 'at', 'de', 'club'
        ], word)
        and not list_contains(
            {{ other }}.topic_words || {{ other }}.event_topic_words || {{ other }}.subject_words
            || {{ other }}.subject_names
            || if({{ other }}.condition is null, {{ other }}.rules_words, list_transform(
                string_split({{ other }}.condition, ' '), lambda asked: silver.word_stem(asked)
            )), word
        )
    )
{%- endmacro %}
