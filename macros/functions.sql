{#- SQL functions that the models and ad hoc queries share; made anew at the start of every run. -#}
{% macro create_functions() %}
    create schema if not exists silver;
    {{ create_window_functions() }}
    {{ create_amount_functions() }}
    {{ create_word_functions() }}
    {{ create_rule_functions() }}
    {{ create_fee_functions() }}
    {{ create_band_functions() }}
{% endmacro %}
