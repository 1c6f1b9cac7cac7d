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


{#- Words that begin no word of the others: "commuted" begins "commutation". -#}
{% macro not_begun_in(words, others) -%}
    list_filter(
        {{ words }},
        lambda word: len(list_filter({{ others }}, lambda other: starts_with(other, word))) = 0
    )
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


{#- By which a title's outlook is known (silver.contract_wordings). -#}
{% macro words_of_outlooks() -%}
    ['still', 'remain', 'stay', 'surviv', 'keep', 'continu', 'retain', 'hold', 'leav', 'out', 'ceas', 'resign',
     'relegat', 'collaps', 'los', 'depart', 'end']
{%- endmacro %}
