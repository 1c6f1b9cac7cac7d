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


{% macro countries() -%}
    ['uk', 'china', 'japan', 'canada',
     'germany', 'franc', 'eurozon', 'europ', 'india', 'brazil', 'mexico', 'australia', 'korea', 'turkey', 'russia',
     'israel', 'iran', 'italy', 'spain', 'poland', 'taiwan', 'ukrain', 'argentina', 'switzerland', 'sweden', 'norway']
{%- endmacro %}


{#- Names that the reading has made one word of ("Bank of Japan"). -#}
{% macro central_banks() -%}
    ['fed', 'ecb', 'boe', 'boc', 'boj', 'rba', 'snb', 'rbnz', 'pboc']
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


{#- Everything that a listing says, of its contract_terms; Kalshi's outcomes are Yes and No. -#}
{% macro told_words(terms) -%}
    {{ terms }}.topic_words || {{ terms }}.event_topic_words || {{ terms }}.rules_words
    || if({{ terms }}.platform = 'polymarket', flatten({{ terms }}.outcome_words), [])
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


{#- "SDP" for the Social Democratic Party: the one word of a side has the first letters of all of the other. Of two
    words that is soon so ("CA" and Aaron Carter). -#}
{% macro is_acronym(words, others) -%}
    (
        len({{ others }}) = 1 and len({{ words }}) > 2
        and list_sort(string_split({{ others }}[1], ''))
        = list_sort(list_transform({{ words }}, lambda word: word[1]))
    )
{%- endmacro %}


{#- One side alone denies, in such words only, and its amount, which is not its title's, has taken that in. -#}
{% macro is_told_by_the_amount(denials) -%}
    (
        least(len(kalshi.negations), len(polymarket.negations)) = 0
        and len({{ not_in("kalshi.negations || polymarket.negations", denials) }}) = 0
        and if(len(kalshi.negations) > 0, kalshi.amount_source, polymarket.amount_source) in ('condition', 'rung')
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
