{#- What each leg of a lock costs at some numbers of contracts. `sizes` has lock_id and contracts (a whole
    number); a row for each leg and number that its book can fill: cost, fill_fees (at worst, before the order's
    fee is rounded), fee_expected, fee_worst, last_price (that of the last level), levels, uneven_levels. -#}
{% macro walked_legs(sizes, legs, ladders) -%}
    select
        wanted.lock_id,
        wanted.contracts,
        wanted.leg_index,
        ladders.price as last_price,
        ladders.level_number as levels,
        cast(wanted.contracts - ladders.starts_after as decimal(28, 6)) as rest,
        cast(ladders.cost_before + rest * ladders.price as decimal(28, 14)) as cost,
        cast(ladders.fee_before + rest * ladders.contract_fee as decimal(38, 28)) as model_fee,
        if(
            ladders.platform = 'kalshi',
            cast(ladders.worst_before + rest * ladders.fill_fee as decimal(28, 12)), cast(model_fee as decimal(28, 12))
        ) as fill_fees,
        case ladders.platform
            when 'kalshi' then silver.kalshi_fee(model_fee, ladders.rounding_step)
            when 'polymarket'
                then cast(
                    ladders.rounded_before + silver.polymarket_fee(rest * ladders.contract_fee) as decimal(18, 5)
                )
        end as fee_expected,
        case ladders.platform
            when 'kalshi' then silver.kalshi_fee_worst(fill_fees, ladders.uneven_levels)
            when 'polymarket'
                then cast(
                    ladders.worst_before + silver.polymarket_fee_worst(rest * ladders.contract_fee) as decimal(18, 5)
                )
        end as fee_worst,
        if(ladders.platform = 'kalshi', ladders.uneven_levels, 0) as uneven_levels,
    from (
        select
            sizes.lock_id,
            sizes.contracts,
            legs.leg_index,
            legs.outcome_id,
        from {{ sizes }} as sizes
        inner join {{ legs }} as legs on sizes.lock_id = legs.lock_id
    ) as wanted
    asof inner join {{ ladders }} as ladders
        on wanted.outcome_id = ladders.outcome_id and wanted.contracts > ladders.starts_after
    where wanted.contracts <= ladders.ends_at
{%- endmacro %}


{#- The same, all legs of a lock together: a row for each number of contracts that every leg can fill. Rounding wide
    decimals is what takes time, so nothing is rounded here that need not be. -#}
{% macro walked_locks(sizes, locks, legs, ladders) -%}
    select
        walked.lock_id,
        walked.contracts,
        walked.contracts * any_value(locks.payout) as payout,
        sum(walked.cost) as cost,
        cast(sum(walked.fill_fees) as double) as fill_fees,
        sum(walked.uneven_levels) * 0.01 as uneven_fee,
        sum(walked.fee_worst) as fee_worst,
        any_value(walked.contracts * locks.payout) - sum(walked.cost) - sum(walked.fee_worst) as profit,
    from (
        {{ walked_legs(sizes, legs, ladders) }}
    ) as walked
    inner join {{ locks }} as locks on walked.lock_id = locks.lock_id
    group by walked.lock_id, walked.contracts
    having count(*) = any_value(locks.legs)
{%- endmacro %}


{#- The whole number of contracts, between low and high, at which a line through two values is at a level. -#}
{% macro where_line_is(level, at_low, at_high) -%}
    cast(
                    low + ({{ level }} - ({{ at_low }})) * (high - low) / nullif({{ at_high }} - {{ at_low }}, 0) as bigint
                )
{%- endmacro %}


{#- The whole numbers from low to high at which a line through two values is above zero, one more on
    either side for the rounding of floats; of a falling line only where it is below `most`. -#}
{% macro above_zero(at_low, at_high, most="'infinity'::double") -%}
    struct_pack(
            low := case
                when {{ at_low }} > {{ most }} then greatest(low, {{ where_line_is(most, at_low, at_high) }} - 1)
                when {{ at_low }} > 0 then low
                else greatest(low, {{ where_line_is("0", at_low, at_high) }} - 1)
            end,
            high := case
                when {{ at_high }} > 0 then high
                else least(high, {{ where_line_is("0", at_low, at_high) }} + 1)
            end
        )
{%- endmacro %}


{#- A walk with its money and its margin to eight digits. -#}
{% macro in_dollars(walk) -%}
    struct_pack(
            contracts := {{ walk }}.contracts,
            payout := cast({{ walk }}.payout as decimal(18, 8)),
            cost := cast({{ walk }}.cost as decimal(18, 8)),
            fee_worst := cast({{ walk }}.fee_worst as decimal(18, 8)),
            outlay := cast({{ walk }}.cost + {{ walk }}.fee_worst as decimal(18, 8)),
            profit := cast({{ walk }}.profit as decimal(18, 8)),
            profit_margin := cast({{ walk }}.profit_margin as decimal(18, 8))
        )
{%- endmacro %}
