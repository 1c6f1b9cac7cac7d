{#- What the rules make a contract pay for. Titles lie; two contracts are the same when their rules say
    so sentence by sentence, so every sentence must be read: as the condition, as a clause that the
    seed rule_clauses knows, or to the letter.

    silver.sentences(description)     the sentences, each as its words, numbers and signs in order:
                                      lower case, without articles, quotes and punctuation, months and
                                      zones in one spelling
    silver.condition(sentence)        what must be for Yes, where the sentence is "If <this>, then the
                                      market resolves to Yes", "If <this>, this market will resolve to
                                      Yes" or "This market will (immediately) resolve to Yes if
                                      <this>"; else null. A deadline in it is "until <day>", the first
                                      day on which it is too late
    silver.undated(sentence)          the sentence with "day" for each day it names
    silver.clause(sentence, known)    the clause that a sentence is, by the map of known sentences; days
                                      that it names go with it; an unknown one is itself -#}
{% macro create_rule_functions() %}
    {%- set day = "(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec) \\d{1,2} 20\\d\\d" -%}
    {%- set sentence = namespace(sql="lower(silver.with_capitals_told(silver.plain_letters(written)))") -%}
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
        ("\\blong march\\b", "longmarch"),
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
        nullif(regexp_extract(
            sentence, '^if (.+?) (?:then )?(?:this )?market (?:will )?(?:immediately )?resolves? to yes$', 1
        ), ''),
        nullif(regexp_extract(
            sentence, '^(?:this )?market (?:will )?(?:immediately )?resolves? to yes if (.+)$', 1
        ), '')
    ));

    create or replace macro silver.undated(sentence) as regexp_replace(sentence, '{{ day }}', 'day', 'g');

    create or replace macro silver.clause(sentence, known) as coalesce(
        known[silver.undated(sentence)] || coalesce(
            ' ' || nullif(array_to_string(regexp_extract_all(sentence, '{{ day }}'), ' '), ''), ''
        ),
        sentence
    );
{% endmacro %}


{% macro telling_stems(text) -%}
    list_distinct(list_filter(
        list_transform(string_split({{ text }}, ' '), lambda word: silver.word_stem(word)),
        lambda word: (length(word) > 3 or word = 'act') and word not in (
            'count', 'qualify', 'consider', 'includ', 'sufficient', 'suffic', 'enough',
            'constitut', 'will', 'that', 'market', 'toward', 'resolution', 'with', 'been', 'from', 'term',
            'other', 'which', 'when', 'they', 'also', 'such', 'than', 'encompas', 'encompass', 'eligibl', 'payout', 'criterion'
        )
    ))
{%- endmacro %}


{#- "Imports that do not qualify" are imports; what is said of them by the way is no denial. -#}
{% macro without_relatives(text) -%}
    regexp_replace({{ text }}, '\b(who|that|which) (do|does|did|is|are|has|have|was|were) not\b', '', 'g')
{%- endmacro %}
