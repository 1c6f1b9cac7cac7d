{#- Words that turn a proposition round or move its edge, as `telling_words` leaves them. -#}
{% macro comparison_words() -%}
    ['abov', 'below', 'over', 'under', 'mor', 'les', 'least', 'most', 'exactly', 'reach', 'hit',
     'high', 'low', 'higher', 'lower', 'great', 'greater', 'fewer', 'top', 'first', 'last', 'second', 'half']
{%- endmacro %}

{% macro negations() -%}
    ['not', 'no', 'never', 'without', 'fail', 'neither', 'nor', 'except', 'lose', 'los', 'lost', 'against']
{%- endmacro %}

{% macro shared_words(words, listed) -%}
    list_sort(list_distinct(list_filter({{ words }}, lambda word: list_contains({{ listed }}, word))))
{%- endmacro %}
