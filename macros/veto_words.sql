{#- Words that turn a proposition round or move its edge, as `telling_words` leaves them. -#}
{% macro comparison_words() -%}
    ['abov', 'below', 'over', 'under', 'mor', 'les', 'least', 'most', 'exactly', 'reach', 'hit',
     'high', 'low', 'higher', 'lower', 'great', 'greater', 'fewer', 'top', 'first', 'last', 'second', 'half']
{%- endmacro %}

{#- Capitalised, but nobody's name. -#}
{% macro kind_words() -%}
    ['win', 'match', 'gam', 'map', 'set', 'half', 'spread', 'draw', 'tie', 'total', 'moneylin', 'team', 'both', 'end',
     'winner', 'series', 'serie', 'goal', 'point', 'run', 'no', 'yes', 'other', 'others', 'first', 'pric', 'vs', 'fc', 'cf', 'ac', 'sc',
     'pro', 'professional', 'basketball', 'football', 'baseball', 'hockey', 'soccer', 'nba', 'nfl', 'mlb', 'nhl', 'wnba',
     'fifa', 'uefa', 'men', 'women', 'final', 'championship', 'champion', 'league', 'cup', 'english', 'season']
{%- endmacro %}

{% macro negations() -%}
    ['not', 'no', 'never', 'without', 'fail', 'neither', 'nor', 'except', 'lose', 'los', 'lost', 'against']
{%- endmacro %}

{% macro shared_words(words, listed) -%}
    list_sort(list_distinct(list_filter({{ words }}, lambda word: list_contains({{ listed }}, word))))
{%- endmacro %}


{% macro not_in(words, others) -%}
    list_filter({{ words }}, lambda word: not list_contains({{ others }}, word))
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
