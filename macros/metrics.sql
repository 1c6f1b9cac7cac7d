{#- The columns of one metric. `labels`: the expression of each label's value. -#}
{% macro metric(name, value, labels={}) %}
    {%- set of = "map([" ~ (labels | map("tojson") | join(", ") | replace('"', "'")) ~ "], ["
        ~ (labels.values() | join(", ")) ~ "])" %}
    {{- return(
        "'marketfinder_" ~ name ~ "' as metric, cast(" ~ of ~ " as map (varchar, varchar)) as labels, cast("
        ~ value ~ " as double) as value"
    ) }}
{% endmacro %}
