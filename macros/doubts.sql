{#- What may make two contracts of what a score finds alike; of `kalshi`, `polymarket` and the pair `changed`, as
    silver.pair_doubts has them. -#}

{#- Markers of one side where silence is a doubt, unless the other says the same in other places. -#}
{% macro doubtful_markers() -%}
    list_filter(
        {{ not_in("kalshi.markers", "polymarket.markers") }}
        || {{ not_in("polymarket.markers", "kalshi.markers") }},
        lambda marker: regexp_replace(marker, ' \d+$', '') in ({{ markers_that("doubt") }})
        -- A central bank announces what it decides; the conditions of both may say what one title says.
        and not (
            marker = 'announced:announced'
            and list_has_all(['economics'], [kalshi.category, polymarket.category])
            and list_has_any(kalshi.words, {{ central_banks() }})
            and list_has_any(kalshi.words, ['cut', 'hik', 'unchang', 'rat'])
        )
        and not list_contains(list_intersect(kalshi.condition_markers, polymarket.condition_markers), marker)
        -- Titles differ where the rules of both say it, and none that it does not count.
        and not (
            len({{ stems_of_marker("marker") }}) > 0
            and list_has_all(
                if(list_contains(kalshi.markers, marker), polymarket.rules_words, kalshi.rules_words),
                {{ stems_of_marker("marker") }}
            )
            and not list_has_any(
                flatten(if(list_contains(kalshi.markers, marker), polymarket.denied, kalshi.denied)),
                {{ stems_of_marker("marker") }}
            )
        )
        -- "Acting speakers will not count."
        and not list_has_any(
            flatten(if(list_contains(kalshi.markers, marker), kalshi.denied, polymarket.denied)),
            {{ stems_of_marker("marker") }}
        )
        -- A final of the conference is a game of two teams on a day, and so is a "lower round 1".
        and not (regexp_matches(marker, '^(division|ballot):') and kalshi.is_game and polymarket.is_game)
    )
{%- endmacro %}


{#- "Reed" and "Rees": one stem, two names. -#}
{% macro names_with_other_endings() -%}
    list_filter(
        {{ not_in("kalshi.cut_names", "polymarket.cut_names") }},
        lambda name: not list_contains({{ kind_words() }}, silver.word_stem(name)) and list_contains(
            list_transform(
                {{ not_in("polymarket.cut_names", "kalshi.cut_names") }}, lambda other: silver.word_stem(other)
            ),
            silver.word_stem(name)
        )
    )
{%- endmacro %}


{#- Words of one title that turn or narrow what it asks, and that the other side says nowhere. -#}
{% macro turning_words() -%}
    list_filter(
        {{ not_in("kalshi.words", "polymarket.words") }} || {{ not_in("polymarket.words", "kalshi.words") }},
        lambda word: word in ('eur', 'gbp', 'jpy', 'both', 'only', 'off', 'again', 'delay', 'jr', 'sr')
        -- "The entire territory", and any that the rules of both let count.
        or (
            word in ('all', 'any')
            and not (
                list_has_any(kalshi.said, {{ words_of_all("word") }})
                and list_has_any(polymarket.said, {{ words_of_all("word") }})
            )
        )
        or (
            changed.amounts = 'none' and len(kalshi.other_numbers) > 0
            and word in ('m', 'bn', 'million', 'billion', 'trillion')
        )
        -- A major hurricane is no major tournament.
        or (word = 'major' and not kalshi.is_game and not polymarket.is_game)
        or (
            not (list_contains(kalshi.said, word) and list_contains(polymarket.said, word))
            and (
                (
                    -- A "Swiss stage" is of no country, and who plays whom is told by names.
                    (
                        list_contains({{ directions() }}, word)
                        or (list_contains({{ countries() }}, word) and not (kalshi.is_game and polymarket.is_game))
                    )
                    -- West Ham is West Ham; Western Michigan is not Michigan.
                    and not list_contains(kalshi.markers || polymarket.markers, 'sport:soccer')
                )
                -- Glenden and New Glenden.
                or (word = 'new' and list_contains(kalshi.title_names || polymarket.title_names, 'new'))
                or (list_contains({{ qualifying_words() }}, word) and not kalshi.is_game and not polymarket.is_game)
                -- An amount that is the same says which of them is meant.
                or (
                    changed.amounts not in ('same', 'complement') and word in ('minu', 'plu', 'upto', 'exactly')
                )
            )
        )
    )
{%- endmacro %}
