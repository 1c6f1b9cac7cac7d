{#- Of each symbol only the last state is needed. Who reads states takes the last by its number, so this keeps the
    table small and does nothing else. -#}
{% macro drop_old_states() %}
    delete from {{ this }} as old using {{ this }} as newer
    where
        old.run_number > 0
        and newer.run_number > old.run_number
        and old.source = newer.source
        and old.exchange = newer.exchange
        and old.symbol = newer.symbol
{% endmacro %}
