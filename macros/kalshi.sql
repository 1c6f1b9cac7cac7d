{#- The words that Kalshi returns in `status` (its filter words are others). -#}
{% macro kalshi_statuses() %}
    {{ return([
        "initialized", "unopened", "inactive", "active", "paused", "closed",
        "determined", "disputed", "amended", "settled", "finalized",
    ]) }}
{% endmacro %}


{#- Whole cents, as Kalshi sent them before 2026-03-12, in dollars; text that is no number stays as
    it is, so that it is turned away and shown. -#}
{% macro cents_to_dollars(text) -%}
    coalesce(cast(try_cast({{ text }} as decimal(18, 6)) / 100 as varchar), {{ text }})
{%- endmacro %}


{#- The fee types whose taker fee is the quadratic one; they differ in what makers pay. -#}
{% macro kalshi_fee_types() -%}
    ('quadratic', 'quadratic_with_maker_fees', 'quadratic_with_combo_maker_fees')
{%- endmacro %}
