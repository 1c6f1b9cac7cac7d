{#- The taker fee of one order for a side that has a platform, a taker_rate and an ask_price, in
    dollars: rate × contracts × price × (1 − price), in exact decimals. Kalshi rounds an order up to
    the cent in the worst case, Polymarket to five decimals. Each branch has its own cast: the common
    type of two wide decimals loses digits. -#}
{% macro taker_fee(side, contracts) -%}
    {%- set exact -%}
        {{ side }}.taker_rate * {{ contracts }} * {{ side }}.ask_price * (1 - {{ side }}.ask_price)
    {%- endset -%}
    case {{ side }}.platform
            when 'kalshi' then cast(ceil({{ exact }} * 100) * 0.01 as decimal(18, 6))
            when 'polymarket' then cast(ceil({{ exact }} * 100000) * 0.00001 as decimal(18, 6))
        end
{%- endmacro %}
