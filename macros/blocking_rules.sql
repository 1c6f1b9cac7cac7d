{#- The rules that join on equal keys, each a SELECT of silver.blocking_keys. A pair that several
    find has the name of the first. -#}
{% macro blocking_rules() %}
    {{ return(["same_words", "same_game", "same_instant", "same_amount", "same_names"]) }}
{% endmacro %}
