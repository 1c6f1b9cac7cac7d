{#- Words that turn a proposition round or move its edge, as `telling_words` leaves them. -#}
{% macro comparison_words() -%}
    ['abov', 'below', 'over', 'under', 'mor', 'les', 'least', 'most', 'exactly', 'reach', 'hit',
     'high', 'low', 'higher', 'lower', 'great', 'greater', 'fewer', 'top', 'first', 'last', 'second', 'half']
{%- endmacro %}

{#- "And" is not "or", and "on the day" not "by" it. -#}
{% macro logic_words() -%}
    'and', 'or', 'not', 'no', 'nor', 'any', 'all', 'every', 'both', 'either', 'only', 'final', 'first', 'last', 'next',
    'to', 'from', 'for', 'on', 'by', 'befor', 'after', 'until', 'than'
{%- endmacro %}

{#- Capitalised, but nobody's name. -#}
{% macro kind_words() -%}
    ['win', 'match', 'gam', 'map', 'set', 'half', 'spread', 'draw', 'tie', 'total', 'moneylin', 'team', 'both', 'end',
     'winner', 'seri', 'goal', 'point', 'run', 'no', 'yes', 'other', 'first', 'pric', 'vs',
     'fc', 'cf', 'ac', 'sc', 'pro', 'professional', 'clan', 'playoff', 'counter', 'strik', 'esport',
     'basketball', 'football', 'baseball', 'hockey', 'soccer', 'nba', 'nfl', 'mlb', 'nhl', 'wnba',
     'fifa', 'uefa', 'men', 'women', 'final', 'championship', 'champion', 'leagu', 'cup', 'english', 'season',
     'glob', 'award', 'grammy', 'oscar', 'emmy', 'doubl', 'tripl', 'hik', 'cut', 'leav', 'unchang',
     'january', 'february', 'march', 'july', 'september', 'october', 'november', 'december']
{%- endmacro %}

{#- Words that set two contracts apart when only one side has them anywhere. -#}
{% macro directions() -%}
    ['north', 'south', 'east', 'west']
{%- endmacro %}

{% macro countries() -%}
    ['uk', 'china', 'japan', 'canada',
     'germany', 'franc', 'eurozon', 'europ', 'india', 'brazil', 'mexico', 'australia', 'korea', 'turkey', 'russia',
     'israel', 'iran', 'italy', 'spain', 'poland', 'taiwan', 'ukrain', 'argentina', 'switzerland', 'sweden', 'norway']
{%- endmacro %}

{#- Names that the reading has made one word of ("Bank of Japan"). -#}
{% macro central_banks() -%}
    ['fed', 'ecb', 'boe', 'boc', 'boj', 'rba', 'snb', 'rbnz', 'pboc']
{%- endmacro %}

{#- Words that narrow what is asked, when a title has one that the other side says nowhere. -#}
{% macro qualifying_words() -%}
    ['permanent', 'temporary', 'unanimou', 'unanimously', 'consecutiv', 'crew', 'uncrew', 'unmann', 'suborbital',
     'domestic', 'nationwid', 'unadjust', 'nominal', 'partial', 'partially', 'indirect', 'virtual', 'virtually',
     'unilateral', 'unilaterally', 'bilateral', 'trilateral', 'conditional', 'preliminary', 'revis', 'weekly', 'daily',
     'hourly', 'median', 'solo', 'individual', 'snap', 'unoppos', 'original', 'remak', 'sequel', 'theatrical', 'stream',
     'digital', 'physical', 'delux', 'beta', 'preview', 'mini', 'lit', 'onshor', 'offshor', 'nuclear', 'intentional',
     'accidental', 'suspect', 'probabl', 'ratifi', 'bind', 'civil', 'felony', 'misdemeanor', 'revers', 'perpetual',
     'dilut', 'circulat', 'spot', 'fre', 'regular', 'former', 'combin', 'commercial', 'joint', 'jointly', 'indi',
     'support', 'animat', 'adapt', 'documentary', 'rooki', 'defensiv', 'offensiv']
{%- endmacro %}

{#- Words that narrow what a condition asks. -#}
{% macro narrowing_words() -%}
    ['interim', 'caretaker', 'technical', 'recover', 'legally', 'astronaut', 'partial', 'unanimou', 'warrant',
     'licens', 'indirect', 'provisionally']
{%- endmacro %}

{% macro negations() -%}
    ['not', 'no', 'nobody', 'noth', 'never', 'without', 'fail', 'avoid', 'neither', 'nor', 'except', 'los',
     'lost', 'scoreles', 'nrfi', 'eliminat', 'against']
{%- endmacro %}

{% macro shared_words(words, listed) -%}
    list_sort(list_distinct(list_filter({{ words }}, lambda word: list_contains({{ listed }}, word))))
{%- endmacro %}


{% macro not_in(words, others) -%}
    list_filter({{ words }}, lambda word: not list_contains({{ others }}, word))
{%- endmacro %}

{#- Everything that a side of a pair says; Kalshi's outcomes are Yes and No. -#}
{% macro told_words(side) -%}
    {{ side }}.topic_words || {{ side }}.event_topic_words || {{ side }}.rules_words
    {%- if side == "polymarket" %} || flatten(polymarket.outcome_words){% endif %}
{%- endmacro %}

{#- The markers of one group among "group:marker". -#}
{% macro markers_of(markers, marker_group) -%}
    list_filter({{ markers }}, lambda marker: starts_with(marker, {{ marker_group }} || ':'))
{%- endmacro %}

{#- What a side asks for, for a reader. -#}
{% macro amount_text(side) -%}
    case
        when {{ side }}.amount_kind is not null then concat_ws(
            ' ',
            replace({{ side }}.amount_kind, '_', ' '),
            cast({{ side }}.amount_low as double),
            case when {{ side }}.amount_high is distinct from {{ side }}.amount_low
                then cast({{ side }}.amount_high as double) end,
            {{ side }}.amount_unit
        )
        else array_to_string({{ side }}.other_numbers, ', ')
    end
{%- endmacro %}


{#- The groups of markers that are looked for in one scope, as SQL texts. -#}
{% macro marker_groups_of(scope) -%}
    {%- for group, code, place, one_sided, markers in term_markers() if place == scope and one_sided != "silent" -%}
    '{{ group }}'{{ ", " if not loop.last }}
    {%- endfor -%}
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

{#- In what the wordings of `kalshi` and `polymarket` differ, each in words; none when they say the same,
    sentence by sentence. -#}
{% macro differences_in_wording() -%}
    list_filter([
        case when polymarket.event_type != 'binary' then 'sides are named' end,
        case
            when len(only_kalshi || only_polymarket) > 0
                then 'words differ: ' || array_to_string(only_kalshi, ' ')
                    || ' / ' || array_to_string(only_polymarket, ' ')
        end,
        case
            when
                not (kalshi.is_told_by_condition and polymarket.is_told_by_condition)
                and list_filter(kalshi.words, lambda word: not list_contains(kalshi.added_words, word))
                != list_filter(polymarket.words, lambda word: not list_contains(kalshi.added_words, word))
                then 'the order of the words may matter'
        end,
        case
            when kalshi.cut_names != polymarket.cut_names
                then 'names differ in their endings: ' || array_to_string(kalshi.cut_names, ' ')
                    || ' / ' || array_to_string(polymarket.cut_names, ' ')
        end,
        case
            when kalshi.event_words != polymarket.event_words
                then 'in the title of one event only: ' || array_to_string(kalshi.event_words, ' ')
                    || ' / ' || array_to_string(polymarket.event_words, ' ')
        end,
        case when amounts not in ('same', 'none') then 'amounts: ' || amounts end,
        case
            when kalshi.amount_low is distinct from polymarket.amount_low
                or kalshi.amount_high is distinct from polymarket.amount_high
                then 'amounts are told to another digit'
        end,
        case when polymarket.linked_station is not null then 'station named by a link only' end,
        case when kalshi.window_ends_on is null then 'deadline not read on Kalshi' end,
        case when polymarket.window_ends_on is null then 'deadline not read on Polymarket' end,
        case when kalshi.condition is null then 'condition of the rules not read on Kalshi' end,
        case when polymarket.condition is null then 'condition of the rules not read on Polymarket' end,
        case when kalshi.condition != polymarket.condition then 'the conditions of the rules are not the same' end,
        case
            when len(clauses_of_one) > 0
                then 'in the rules of one side only: ' || left(array_to_string(clauses_of_one, '; '), 200)
        end
    ], lambda difference: difference is not null)
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


{#- "SDP" for the Social Democratic Party: the one word of a side has the first letters of all of the other. Of two
    words that is soon so ("CA" and Aaron Carter). -#}
{% macro is_acronym(words, others) -%}
    (
        len({{ others }}) = 1 and len({{ words }}) > 2
        and list_sort(string_split({{ others }}[1], ''))
        = list_sort(list_transform({{ words }}, lambda word: word[1]))
    )
{%- endmacro %}


{#- "cincinnati" is "mlscincinnati", of whom one side does not say in which league he is. -#}
{% macro is_code_of(words, codes) -%}
    (
        len({{ words }}) = 1 and len({{ codes }}) = 1 and len({{ words }}[1]) > 4
        and len({{ codes }}[1]) - len({{ words }}[1]) in (2, 3)
        and ends_with({{ codes }}[1], {{ words }}[1])
    )
{%- endmacro %}


{#- "Is it approved by the FDA": a name that both titles have follows on "by", another stands before, and between them
    what the other side says too. "An album by Bad Bunny" has no name before. The ordered words have no "by". -#}
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
            and starts_with(word, {{ side }}.words[list_position({{ side }}.words, 'by') - 1])
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

{#- Both ask who advances, and to the stage that the title of `side` names: "from its quarterfinal" is a round
    further. -#}
{% macro is_stage_told(side) -%}
    (
        list_has_all(list_intersect(kalshi.markers, polymarket.markers), ['bet_type:qualify'])
        and len(list_filter(
            list_transform(
                {{ markers_of(side ~ ".markers", "'stage'") }}, lambda marker: split_part(marker, ':', 2)
            ),
            lambda stage: contains(kalshi.asked_to, stage) and contains(polymarket.asked_to, stage)
        )) > 0
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

{#- Words that say "all" or "any" as this one does. -#}
{% macro words_of_all(word) -%}
    if({{ word }} = 'all', ['all', 'entir', 'whol', 'complet', 'full', 'fully'], ['any'])
{%- endmacro %}
