{#- A list that goes with `outcomes` one to one and has another length would give a price or a
    token to the wrong side. -#}
{% macro reject_unlike_outcomes(field, text, outcomes) -%}
    case
        when len({{ as_text_list(text) }}) != len({{ as_text_list(outcomes) }})
            then {{ rejection(field, text, "not as many as outcomes") }}
    end
{%- endmacro %}
