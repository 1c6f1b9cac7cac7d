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
        -- The nominee of a party, in an event called after its primary.
        and not (
            marker = 'ballot:primary'
            and list_has_any(list_intersect(kalshi.words, polymarket.words), ['nomine', 'nomination'])
            and not list_contains(kalshi.words || polymarket.words, 'primary')
        )
        -- Elected "in the first round or in a runoff".
        and not (
            marker = 'ballot:first round'
            and regexp_matches(
                if(list_contains(kalshi.markers, marker), kalshi.condition, polymarket.condition),
                '\bfirst round,? or (?:in |through |after )?(?:a |any |the )?(?:runoff|run-off|second)\b'
            )
        )
        -- "Annual", where both conditions compare with the year before.
        and not (
            marker = 'base:year over year'
            and list_has_all(list_intersect(kalshi.markers, polymarket.markers), ['asked_base:year over year'])
        )
        -- The first pick; a nominee is confirmed by one chamber; of none and of at least one the amounts tell.
        and not (marker = 'order:first' and list_has_all(list_intersect(kalshi.markers, polymarket.markers), ['pick:pick 1']))
        and not (marker = 'bill:pass chamber' and list_has_all(list_intersect(kalshi.words, polymarket.words), ['confirm']))
        and not (marker = 'times:never' and changed.amounts in ('same', 'complement'))
        -- What the Vice President says.
        and not (starts_with(marker, 'ticket:') and list_has_all(['mentions'], [kalshi.category, polymarket.category]))
        -- The flash of one is the preliminary one of the other.
        and not (
            marker = 'issue:flash' and list_has_all(list_intersect(kalshi.markers, polymarket.markers), ['issue:early'])
        )
        -- The finalists of a cup are who reaches its final.
        and not (marker = 'award:finalist' and list_contains(kalshi.markers || polymarket.markers, 'stage:final'))
        -- "Core" is what both say is left out.
        and not (marker = 'core:core' and list_has_any(kalshi.left_out, polymarket.left_out))
        -- A final of the conference is a game of two teams on a day, and so is a "lower round 1", or one of a group.
        and not (regexp_matches(marker, '^(division|ballot|group_stage):') and kalshi.is_game and polymarket.is_game)
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
        lambda word: word in ('both', 'only', 'sr')
        or (word in ('again', 'delay') and not (list_contains(kalshi.said, word) and list_contains(polymarket.said, word)))
        -- "Called off"; who is laid off is none.
        or (word = 'off' and list_has_any(kalshi.words || polymarket.words, ['call', 'put', 'hold', 'held', 'turn', 'switch']))
        or (
            word in ('eur', 'gbp', 'jpy')
            and not (
                list_has_any(kalshi.said, {{ words_of_currency("word") }})
                and list_has_any(polymarket.said, {{ words_of_currency("word") }})
            )
        )
        or (word = 'jr' and not list_contains(kalshi.words || polymarket.words, 'junior'))
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
                        or (
                            list_contains({{ countries() }}, word) and not (kalshi.is_game and polymarket.is_game)
                            and not list_has_any(list_intersect(kalshi.words, polymarket.words), {{ words_of_country("word") }})
                        )
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


{#- Words that set two contracts apart when only one side has them anywhere; countries do, too. -#}
{% macro directions() -%}
    ['north', 'south', 'east', 'west']
{%- endmacro %}


{#- What is of one country alone: "Germany's DAX" is the DAX. -#}
{% macro words_of_country(word) -%}
    case {{ word }}
        {%- for country, words in {
            "germany": ["dax", "bundestag", "bundesliga"], "uk": ["ftse", "boe"], "japan": ["nikkei", "topix", "boj"],
            "franc": ["cac", "ligu"], "canada": ["tsx", "boc"], "spain": ["ibex"], "eurozon": ["ecb"],
            "india": ["nifty", "sensex", "ipl"], "australia": ["asx", "rba"], "korea": ["kospi"], "switzerland": ["snb"],
            "brazil": ["ibovespa"], "israel": ["knesset"], "poland": ["sejm"], "russia": ["duma"]
        }.items() %}
        when '{{ country }}' then {{ words }}
        {%- endfor %}
        else []
    end
{%- endmacro %}


{#- Words that narrow what is asked, when a title has one that the other side says nowhere. -#}
{% macro qualifying_words() -%}
    ['permanent', 'temporary', 'unanimou', 'unanimously', 'consecutiv', 'crew', 'uncrew', 'unman', 'suborbital',
     'domestic', 'nationwid', 'unadjust', 'nominal', 'partial', 'partially', 'indirect', 'virtual', 'virtually',
     'unilateral', 'unilaterally', 'bilateral', 'trilateral', 'conditional', 'preliminary', 'revis', 'weekly', 'daily',
     'hourly', 'median', 'solo', 'individual', 'snap', 'unoppos', 'original', 'remak', 'sequel', 'theatrical', 'stream',
     'digital', 'physical', 'delux', 'beta', 'preview', 'mini', 'lit', 'onshor', 'offshor', 'nuclear', 'intentional',
     'accidental', 'suspect', 'probabl', 'ratify', 'bind', 'civil', 'felony', 'misdemeanor', 'revers', 'perpetual',
     'dilut', 'circulat', 'spot', 'fre', 'regular', 'former', 'combin', 'commercial', 'joint', 'jointly', 'indi',
     'support', 'direct', 'writ', 'guest', 'confidential', 'confidentially', 'animat', 'adapt', 'documentary', 'rooki', 'defensiv', 'offensiv']
{%- endmacro %}


{#- Words that narrow what a condition asks. -#}
{% macro narrowing_words() -%}
    ['interim', 'caretaker', 'technical', 'recover', 'legally', 'astronaut', 'partial', 'unanimou', 'warrant',
     'licens', 'indirect', 'provisionally', 'crew', 'advertis', 'loan']
{%- endmacro %}


{#- The markers that mean "veto", "doubt" or "unknown" when only one side has them, as SQL texts. -#}
{% macro markers_that(meaning) -%}
    {%- set found = [] -%}
    {%- for group, code, scope, one_sided, markers in term_markers() -%}
        {%- for marker in markers if (marker[2] or one_sided) == meaning -%}
            {%- do found.append("'" ~ group ~ ":" ~ marker[0] | replace("'", "''") ~ "'") -%}
        {%- endfor -%}
    {%- endfor -%}
    {{ found | join(", ") }}
{%- endmacro %}


{#- The names of a title, run by run: in "the Vice Chair of the Fed" and "the Fed Vice Chair" they follow each
    other, in "Israel strikes Iran" a word stands between. -#}
{% macro runs_of_names(side) -%}
    list_transform(
        string_split(
            array_to_string(list_transform(
                {{ side }}.ordered_words,
                lambda word: if(list_contains({{ side }}.title_names, word), word, '|')
            ), ' '), '|'
        ),
        lambda run: list_filter(string_split(run, ' '), lambda word: word != '')
    )
{%- endmacro %}


{#- Whether of any two names the same comes first on both sides, or the two follow each other on one. -#}
{% macro is_same_order(left, right, left_runs, right_runs) -%}
    len(list_filter(
        {{ left }},
        lambda first: len(list_filter(
            {{ left }},
            lambda second: list_position({{ left }}, first) < list_position({{ left }}, second)
            and list_position({{ right }}, first) > list_position({{ right }}, second)
            and len(list_filter(
                {{ left_runs }} || {{ right_runs }}, lambda run: list_has_all(run, [first, second])
            )) = 0
        )) > 0
    )) = 0
{%- endmacro %}


{#- Whether of any two names the same comes first in both texts, each where a word begins: "us" is not in "russia". -#}
{% macro is_same_order_in(names, left, right) -%}
    len(list_filter(
        {{ names }},
        lambda first: len(list_filter(
            {{ names }},
            lambda second: strpos(' ' || {{ left }}, ' ' || first) < strpos(' ' || {{ left }}, ' ' || second)
            and strpos(' ' || {{ right }}, ' ' || first) > strpos(' ' || {{ right }}, ' ' || second)
        )) > 0
    )) = 0
{%- endmacro %}


{#- The names that both titles have, in the order of one of them. -#}
{% macro names_in_order(side, other) -%}
    list_filter(
        {{ side }}.ordered_words,
        lambda word: list_contains({{ side }}.title_names, word) and list_contains({{ other }}.title_names, word)
    )
{%- endmacro %}


{#- "Is it approved by the FDA": a name that both titles have follows on "by", another stands before, and the
    last that is none says the other side too. "An album by Bad Bunny" has no name before. The ordered words have no "by". -#}
{% macro is_done_by_a_name(side, other) -%}
    (
        list_contains({{ side }}.words, 'by')
        and list_has_any(
            {{ names_in_order(side, other) }},
            list_slice({{ side }}.words, 1, list_position({{ side }}.words, 'by') - 2)
        )
        and list_has_any(
            {{ names_in_order(side, other) }}, [{{ side }}.words[list_position({{ side }}.words, 'by') + 1]]
        )
        and len(list_filter(
            {{ other }}.words,
            lambda word: not list_contains({{ other }}.title_names, word)
            and starts_with(word, list_filter(
                list_slice({{ side }}.words, 1, list_position({{ side }}.words, 'by') - 1),
                lambda before: before != 'win' and not list_contains({{ side }}.title_names, before)
            )[-1])
        )) > 0
    )
{%- endmacro %}


{#- The words of a marker, as stems. -#}
{% macro stems_of_marker(marker) -%}
    list_filter(
        list_transform(string_split(split_part({{ marker }}, ':', 2), ' '), lambda word: silver.word_stem(word)),
        lambda word: length(word) > 2
    )
{%- endmacro %}


{#- Numbers that the other side says nowhere: "GTA VI" says the 6, and 7 is 7.0. -#}
{% macro numbers_not_in(numbers, said) -%}
    list_filter({{ numbers }}, lambda number: not list_has_any({{ said }}, list_filter([
        number, regexp_replace(number, '\.0+$', ''), {{ roman_numeral("number") }}
    ], lambda name: name is not null)))
{%- endmacro %}


{% macro roman_numeral(number) -%}
    ['ii', 'iii', 'iv', 'v', 'vi', 'vii', 'viii', 'ix'][try_cast({{ number }} as integer) - 1]
{%- endmacro %}


{#- "£50m" and "50 million pounds". -#}
{% macro words_of_currency(word) -%}
    case {{ word }} when 'eur' then ['eur', 'euro'] when 'gbp' then ['gbp', 'pound', 'sterl'] else ['jpy', 'yen'] end
{%- endmacro %}


{#- Words that say "all" or "any" as this one does. -#}
{% macro words_of_all(word) -%}
    if({{ word }} = 'all', ['all', 'entir', 'whol', 'complet', 'full', 'fully'], ['any'])
{%- endmacro %}
