{#- The taker fee of one order for a side that has a platform, a taker_rate and an ask_price, in
    dollars: rate × contracts × price × (1 − price), in exact decimals. Kalshi rounds an order up to
    the cent in the worst case, Polymarket to five decimals. -#}
{% macro taker_fee(side, contracts) -%}
    {%- set exact -%}
        {{ side }}.taker_rate * {{ contracts }} * {{ side }}.ask_price * (1 - {{ side }}.ask_price)
    {%- endset -%}
    cast(
            case {{ side }}.platform
                when 'kalshi' then ceil({{ exact }} * 100) * 0.01
                when 'polymarket' then ceil({{ exact }} * 100000) * 0.00001
            end
            as decimal(18, 6)
        )
{%- endmacro %}
