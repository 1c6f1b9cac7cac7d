{#- What a venue takes of an order, in exact decimals: a fee in floats is a cent wrong now and then.
    (Of two decimals of 18 digits or less the product has 18 too, and overflows; hence the wide casts.)

    silver.fee_per_contract(rate, exponent, price)     rate × (price × (1 − price)) ^ exponent, dollars;
                                                       null for an exponent that is not 1 or 2
    silver.model_fee(rate, exponent, contracts, price) the same for an order at one price, unrounded
    silver.up_from(amount, nearest, step)              the nearest step, or the next where that is too low
    silver.rounded_up(amount, step)                    up to the next step of 1, 0.01, 0.0001 or 0.00001
    silver.kalshi_fee(model_fee, step)                 of one order: its model fee, up to the step
    silver.kalshi_fill_fee(contract_fee)               of one contract, up to the sixth decimal: a fill of
                                                       any number of whole contracts takes no more for each
    silver.kalshi_fee_worst(fill_fees, uneven_levels)  of one order: up to the cent, and a cent more for
                                                       each level of which it does not take whole
                                                       contracts at whole cents
    silver.polymarket_fee(model_fee)                   of one level: to five decimals
    silver.polymarket_fee_worst(model_fee)             of one level: up to five decimals -#}
{% macro create_fee_functions() %}
    create or replace macro silver.fee_per_contract(rate, exponent, price) as case exponent
        when 1 then cast(
            cast(rate as decimal(28, 6)) * cast(price as decimal(12, 8)) * (1 - cast(price as decimal(12, 8)))
            as decimal(28, 22)
        )
        -- The square is exact on every grid of 0.0001 or coarser.
        when 2 then cast(
            cast(rate as decimal(28, 6)) * cast(
                cast(price as decimal(28, 4)) * (1 - cast(price as decimal(8, 4)))
                * cast(price as decimal(8, 4)) * (1 - cast(price as decimal(8, 4))) as decimal(18, 16)
            ) as decimal(28, 22)
        )
    end;

    create or replace macro silver.model_fee(rate, exponent, contracts, price) as cast(
        cast(contracts as decimal(28, 6)) * silver.fee_per_contract(rate, exponent, price) as decimal(38, 28)
    );

    -- No product with the amount: of 28 decimals, it has room for ten digits before them.
    create or replace macro silver.up_from(amount, nearest, step) as cast(
        nearest + case when nearest < amount then step else 0 end as decimal(18, 5)
    );

    create or replace macro silver.rounded_up(amount, step) as case cast(step as decimal(6, 5))
        when 1 then cast(ceil(amount) as decimal(18, 5))
        when 0.01 then silver.up_from(amount, round(amount, 2), 0.01)
        when 0.0001 then silver.up_from(amount, round(amount, 4), 0.0001)
        when 0.00001 then silver.up_from(amount, round(amount, 5), 0.00001)
    end;

    create or replace macro silver.kalshi_fee(model_fee, step) as silver.rounded_up(model_fee, step);

    create or replace macro silver.kalshi_fill_fee(contract_fee) as cast(
        ceil(contract_fee * 1000000) * 0.000001 as decimal(18, 6)
    );

    create or replace macro silver.kalshi_fee_worst(fill_fees, uneven_levels) as cast(
        silver.rounded_up(fill_fees, 0.01) + uneven_levels * 0.01 as decimal(18, 5)
    );

    create or replace macro silver.polymarket_fee(model_fee) as cast(round(model_fee, 5) as decimal(18, 5));

    create or replace macro silver.polymarket_fee_worst(model_fee) as silver.rounded_up(model_fee, 0.00001);
{% endmacro %}
