{#- What the rules make a contract pay for. Titles lie; two contracts are the same when their rules say
    so sentence by sentence, so every sentence must be read: as the condition, as a clause that the
    seed rule_clauses knows, or to the letter.

    silver.sentences(description)     the sentences, each as its words, numbers and signs in order:
                                      lower case, without articles, quotes and punctuation, months and
                                      zones in one spelling
    silver.condition(sentence)        what must be for Yes, where the sentence is "If <this>, then the
                                      market resolves to Yes" or "This market will resolve to Yes if
                                      <this>"; else null. A deadline in it is "until <day>", the first
                                      day on which it is too late
    silver.undated(sentence)          the sentence with "day" for each day it names
    silver.clause(sentence, known)    the clause that a sentence is, by the map of known sentences; days
                                      that it names go with it; an unknown one is itself -#}
{% macro create_rule_functions() %}
    {%- set day = "(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec) \\d{1,2} 20\\d\\d" -%}
    {%- set sentence = namespace(sql="lower(silver.with_capitals_told(strip_accents(written)))") -%}
    {%- set steps = [
        ("[“”\"‘’`´]|''", ""),
        ("[−–—]", "-"),
        ("\\bu\\.s\\.(a\\.)?|\\bunited states( of america)?\\b|\\busa\\b", "us"),
        ("\\be[sd]t\\b", "et"),
        ("\\bsept\\b", "sep"),
        ("° ?f\\b", "°"),
        ("(°[a-z ]{0,10}) fahrenheit\\b", "\\1"),
        ("(\\d),(\\d{3})", "\\1\\2"),
        ("(\\d),(\\d{3})", "\\1\\2"),
        ("(^|[^\\d])\\.(\\d)", "\\1 0.\\2"),
        ("\\b(a|an|the)\\b", " "),
        ("\\b(?:(jan)uary|(feb)ruary|(mar)ch|(apr)il|(jun)e|(jul)y)\\b", "\\1\\2\\3\\4\\5\\6"),
        ("\\b(?:(aug)ust|(sep)tember|(oct)ober|(nov)ember|(dec)ember)\\b", "\\1\\2\\3\\4\\5"),
    ] -%}
    {%- for pattern, replacement in steps -%}
        {%- set sentence.sql = "regexp_replace(" ~ sentence.sql ~ ", '" ~ pattern ~ "', '" ~ replacement ~ "', 'g')" -%}
    {%- endfor %}

    create or replace macro silver.sentence_words(written) as array_to_string(
        regexp_extract_all({{ sentence.sql }}, '[a-z]+|\d+(?:\.\d+)?|[^\s\w.,:()?!]'), ' '
    );

    {#- "U.S. Senate", "Loving v. Virginia", "J. D. Vance": no sentence ends there. "In the U.S. This market" is one. -#}
    create or replace macro silver.without_inner_stops(description) as regexp_replace(
        regexp_replace(
            regexp_replace(
                regexp_replace(description, '\b(a|p)\.m\.', '\1m', 'g'), '\b([A-Z])\. ?([A-Z])\.', '\1\2', 'g'
            ),
            '\b([A-Z]|vs?|Mr|Mrs|Ms|Dr|St|Jr|Sr|Inc|Gov|Sen|Rep|Gen|Lt)\. ', '\1 ', 'g'
        ),
        '\b([A-Z]|US|UK|DC|UN|EU|Jr|Sr|Inc|am|pm) (This|The|If|Otherwise|In the event|Any|An|For)\b', '\1. \2', 'g'
    );

    create or replace macro silver.sentences(description) as list_filter(
        list_transform(
            string_split(regexp_replace(
                silver.without_inner_stops(description), '([.!?]) +([A-Z"“(])', '\1' || chr(10) || '\2', 'g'
            ), chr(10)),
            lambda written: silver.sentence_words(written)
        ),
        lambda sentence: sentence != ''
    );

    create or replace macro silver.too_late_on(phrase) as strftime(
        cast(try_strptime(regexp_extract(phrase, '{{ day }}'), '%b %d %Y') as date)
        + if(starts_with(phrase, 'b') and regexp_matches(phrase, '^(between|by) '), 1, 0),
        '%Y-%m-%d'
    );

    create or replace macro silver.deadline_phrase(condition) as regexp_extract(
        condition,
        '(?:after issuance and )?before (?:12 00 am et on )?{{ day }}'
        || '|between (?:time of )?(?:this )?markets? creation and {{ day }} 11 59 pm et'
        || '|by {{ day }} 11 59 pm et'
    );

    create or replace macro silver.with_deadline(condition) as case
        when silver.deadline_phrase(condition) = '' then condition
        else replace(
            condition,
            silver.deadline_phrase(condition),
            'until ' || coalesce(silver.too_late_on(silver.deadline_phrase(condition)), 'unknown')
        )
    end;

    create or replace macro silver.condition(sentence) as silver.with_deadline(coalesce(
        nullif(regexp_extract(sentence, '^if (.+) then market resolves to yes$', 1), ''),
        nullif(regexp_extract(sentence, '^(?:this )?market (?:will resolve|resolves) to yes if (.+)$', 1), '')
    ));

    create or replace macro silver.undated(sentence) as regexp_replace(sentence, '{{ day }}', 'day', 'g');

    create or replace macro silver.clause(sentence, known) as coalesce(
        known[silver.undated(sentence)] || coalesce(
            ' ' || nullif(array_to_string(regexp_extract_all(sentence, '{{ day }}'), ' '), ''), ''
        ),
        sentence
    );
{% endmacro %}


{#- Sentences that one side has and the other has not, and how they are known. -#}
{% macro has_clause(clauses, pattern) -%}
    (len(list_filter({{ clauses }}, lambda clause: regexp_matches(clause, '\b(?:{{ pattern }})\b'))) > 0)
{%- endmacro %}

{% macro tie_clause() -%}
    tie[ds]?|dead heat|shares? (?:award|prize|title)|divided equally|alphabetical\w*
{%- endmacro %}

{% macro rounding_clause() -%}
    rounded up|greater magnitude|between two (?:listed |displayed )?options
{%- endmacro %}

{#- Central banks that move by quarters of a point: what is rounded up to the next is no other case. -#}
{% macro banks_of_quarters() -%}
    ['fed', 'ecb', 'boe', 'boc', 'boj']
{%- endmacro %}

{#- What becomes of a case that the other side says nothing about. That it pays nothing is the rule, by the
    deadline that both have. -#}
{% macro is_loose_end(clause, deadline) -%}
    (
        regexp_matches({{ clause }}, '^(if|in event|should|unless)\b')
        and not regexp_matches(
            {{ clause }},
            '^if no (statement|decision|announcement)\b'
            || '|\b(criteria for yes|impossible|credible reporting|official results|rounded up|moved meeting)\b'
        )
        and not (
            regexp_matches({{ clause }}, '\b(resolves?|settles?) (to )?no$')
            and (
                not regexp_matches({{ clause }}, '\b[a-z]{3} \d{1,2} 20\d\d\b')
                or contains({{ clause }}, lower(strftime({{ deadline }}, '%b %-d %Y')))
                or contains({{ clause }}, lower(strftime({{ deadline }} - interval 1 day, '%b %-d %Y')))
            )
        )
    )
{%- endmacro %}

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
                    clause, '\b(not|no|nor|neither|cannot|wont)( \w+){0,12} {{ verb }}\b|\b(excluded|ineligible)\b'
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

{% macro telling_stems(text) -%}
    list_distinct(list_filter(
        list_transform(string_split({{ text }}, ' '), lambda word: silver.word_stem(word)),
        lambda word: (length(word) > 3 or word = 'act') and word not in (
            'count', 'qualify', 'qualifi', 'consider', 'includ', 'sufficient', 'suffic', 'enough',
            'constitut', 'will', 'that', 'market', 'toward', 'resolution', 'with', 'been', 'from', 'term',
            'other', 'which', 'when', 'they', 'also', 'such', 'than', 'encompas', 'encompass', 'eligibl', 'payout', 'criterion'
        )
    ))
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

{#- The hours that a side's rules name. -#}
{% macro clocks_of(side) -%}
    regexp_extract_all(
        array_to_string([coalesce({{ side }}.condition, '')] || {{ side }}.clauses, ' '), '\b\d{1,2} \d\d [ap]m\b'
    )
{%- endmacro %}


{#- "Imports that do not qualify" are imports; what is said of them by the way is no denial. -#}
{% macro without_relatives(text) -%}
    regexp_replace({{ text }}, '\b(who|that|which) (do|does|did|is|are|has|have|was|were) not\b', '', 'g')
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
            {{ telling_stems("name") }}, lambda word: word not in ('airport', 'station', 'international')
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
        "regexp_extract(coalesce(" ~ side ~ ".condition, ''), "
        ~ "'\\b(?:excluding|except|not including) ((?:[a-z]+ ?){1,6})', 1)"
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
