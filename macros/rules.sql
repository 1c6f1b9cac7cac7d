{#- What the rules make a contract pay for.

    silver.rule_condition(description)  the condition of the rules, as it is written: "If <this>,
                                        then the market resolves to Yes", "will resolve to Yes if
                                        <this>." Null where the rules say it in another way.
    silver.undated_words(words)         without numbers, months and the words of a market's own life
    silver.proper_names(text)           the capitalised words of a text, lower case, each once -#}
{% macro create_rule_functions() %}
    create or replace macro silver.rule_condition(description) as coalesce(
        nullif(regexp_extract(description, '(?i)\bif (.+?),? then the market resolves to yes\b', 1), ''),
        nullif(regexp_extract(description, '(?i)\bresolves? to\W+yes\W+if (.+?)[.](?:\s|$)', 1), '')
    );

    create or replace macro silver.undated_words(words) as list_filter(
        words,
        lambda word: not regexp_matches(word, '^\d')
            and not list_contains(string_split('{{ month_names() }}', '|'), word)
            and word not in ('before', 'after', 'issuanc', 'market', 'creation', 'et', 'am', 'pm', 'until', 'through')
    );

    create or replace macro silver.proper_names(text) as list_sort(list_distinct(list_filter(
        list_transform(
            regexp_extract_all(
                regexp_replace(strip_accents(text), '\bUnited States( of America)?\b|\bU\.S\.(A\.)?', 'US', 'g'),
                '\b[A-Z][A-Za-z]+'
            ),
            lambda name: lower(name)
        ),
        lambda name: name not in ('the', 'if', 'issuance', 'yes', 'no', 'et', 'est', 'edt', 'am', 'pm', 'utc')
            and not list_contains(string_split('{{ month_names() }}', '|'), name)
    )));
{% endmacro %}
