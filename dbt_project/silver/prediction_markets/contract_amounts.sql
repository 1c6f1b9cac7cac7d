{{ config(
    materialized="incremental",
    incremental_strategy="delete+insert",
    unique_key="market_id",
    post_hook="{{ drop_gone('market_id', 'contract_texts') }}"
) }}

with changed as (
    {{ texts_to_read(
        create_amount_functions() ~ create_window_functions() ~ amount_places() ~ is_told_in_whole_numbers()
        ~ is_told_in_tenths() ~ is_told_in_quarters() ~ is_amount_contested() ~ other_numbers()
        ~ numbers_beside_the_amount()
    ) }}
),

mentioned as (
    select
        *,
        {{ amount_places() }} as places,
    from changed
),

found as (
    select
        *,
        list_filter(
            list_transform(
                places,
                lambda place: struct_pack(
                    source := place.source, said := place.said, found := silver.amount_mention(place.said)
                )
            ),
            lambda place: place.found is not null
            -- A score: "wins 4-2".
            and not (
                place.found.kind = 'between' and place.found.first_scale = place.found.second_scale
                and coalesce(
                    try_cast(replace(place.found.first, 'minus ', '-') as double)
                    > try_cast(replace(place.found.second, 'minus ', '-') as double), false
                )
            )
        ) as mentions,
    from mentioned
),

-- "Below 4.3" is what "below 4.3 million" is short for.
preferred as (
    select
        *,
        coalesce(
            list_filter(
                mentions,
                lambda place: place.found.first = mentions[1].found.first and place.found.first_scale != ''
                and mentions[1].found.first_scale = ''
            )[1],
            mentions[1]
        ) as chosen,
    from found
),

-- And "60+" what "60 inches or more" is.
measured as (
    select
        *,
        coalesce(
            list_filter(
                list_transform(
                    list_filter(mentions, lambda place: place.found.first = chosen.found.first),
                    lambda place: silver.measure(coalesce(
                        nullif(place.found.first_unit, ''), nullif(place.found.second_unit, ''),
                        substr(place.said, strpos(place.said, place.found.mention) + length(place.found.mention))
                    ))
                ),
                lambda measure: measure is not null
            )[1],
            silver.measure(regexp_extract(concat_ws(' ', title_text, event_text), '\bhow many ([a-z]+)', 1))
        ) as measure,
        -- "2 hours 3 minutes"
        coalesce(try_cast(regexp_extract(
            substr(chosen.said, strpos(chosen.said, chosen.found.mention) + length(chosen.found.mention)),
            '^ ?(?:hours?|hrs?|h)(?:,| and)? (\d+) ?(?:minutes?|mins?)\b', 1
        ) as integer), 0) as minutes_beside,
    from preferred
),

-- The venue's own bounds, where no text compares.
structured as (
    select
        *,
        -- "What falls exactly between two brackets is of the higher one": ">3.0%" has 3.0 too.
        regexp_matches(rules_text, '\bbetween (the )?(two )?brackets?\b[^.]{0,80}\bhigher\b') as is_of_higher_bracket,
        case
            -- "10% cap", "caps it at 10% or lower".
            when
                chosen.source = 'condition'
                and regexp_matches(title_text, '(^|[^\d.])' || chosen.found.first || '([^\d.]|$)')
                then 'title'
            when chosen is not null then chosen.source
            -- The 10 of "top 10" is a place, whatever the venue's fields make of it.
            when
                strike_type is not null and coalesce(floor_strike, cap_strike) is not null
                and not regexp_matches(
                    title_text,
                    '\b(top|number) '
                    || rtrim(rtrim(cast(coalesce(cap_strike, floor_strike) as varchar), '0'), '.') || '\b'
                )
                then 'structured'
        end as amount_source,
        case
            when chosen is not null and chosen.found.kind = 'above' and is_of_higher_bracket then 'at_least'
            when chosen is not null then chosen.found.kind
            when amount_source = 'structured'
                then case strike_type
                        when 'greater' then 'above'
                        when 'greater_or_equal' then 'at_least'
                        when 'less' then 'below'
                        when 'less_or_equal' then 'at_most'
                        when 'between' then 'between'
                    end
        end as kind,
        case
            when chosen is not null
                then try_cast(
                        cast(replace(chosen.found.first, 'minus ', '-') as double)
                        * silver.amount_scale(coalesce(
                            nullif(chosen.found.first_scale, ''), if(kind = 'between', chosen.found.second_scale, '')
                        )) as decimal(28, 6)
                    )
            else coalesce(floor_strike, cap_strike)
        end as first_told,
        case
            when chosen is not null and kind = 'between'
                then try_cast(
                        cast(replace(chosen.found.second, 'minus ', '-') as double)
                        * silver.amount_scale(chosen.found.second_scale) as decimal(28, 6)
                    )
            when amount_source = 'structured' and kind = 'between' then cap_strike
        end as second_told,
        {%- for bound in ["first", "second"] %}
        if(
            measure is null, {{ bound }}_told,
            try_cast({{ bound }}_told * measure.times / measure.parts + minutes_beside as decimal(28, 6))
        ) as {{ bound }}_amount,
        {%- endfor %}
        -- A score of critics is a whole number, with a sign or without.
        if(
            regexp_matches(
                concat_ws(' ', title_text, event_text, condition_text),
                '\b(rotten tomatoes|tomatometer|metacritic|metascore)\b'
            ), null,
            nullif(measure.unit, '$')
        ) as unit,
    from measured
),

bounded as (
    select
        *,
        -- Who hits sixty home runs has not touched a price.
        (kind in ('touch_above', 'touch_below') and coalesce(category, '') != 'sports')
        or regexp_matches(
            condition_text,
            '\bat any (time|point)\b|\b(any|at least one|a) (daily|hourly|weekly) (close|high|low|candle)'
        )
        or regexp_matches(concat_ws(' ', title_text, event_text), '\bhow (high|low) will .+ (get|go)\b') as is_touch,
        coalesce(
            nullif(
                regexp_extract(
                    chosen.found.mention, '\b(?:nt|hk|nz|[acrs])[$]|[$]|\b(?:eur|gbp|jpy|inr|cny|brl|mxn)\b'
                ), ''
            ),
            case when measure.unit = '$' then '$' end
        ) as amount_currency,
        amount_currency is not null as is_of_money,
        {{ is_told_in_whole_numbers() }} as is_whole,
        {{ is_told_in_tenths() }} as has_one_decimal,
        {{ is_told_in_quarters() }} as is_of_quarters,
        try_cast(case
            -- There are no fewer than none.
            when kind = 'exactly' and first_amount = 0 and unit is null and not is_of_money then null
            when kind in ('at_least', 'touch_above', 'between', 'exactly') then first_amount
            when kind = 'above' and has_one_decimal then first_amount + 0.1
            when kind = 'above' and is_of_quarters then first_amount + 0.25
            when kind = 'above'
                then if(
                        is_whole or first_amount % 1 >= 0.99,
                        cast(floor(first_amount) + 1 as decimal(28, 6)), first_amount
                    )
        end as decimal(28, 6)) as amount_low,
        try_cast(case
            when kind = 'between'
                then if(
                        second_amount % 1 >= 0.99, cast(ceil(second_amount) as decimal(28, 6)), second_amount
                    )
            when kind in ('at_most', 'touch_below', 'exactly') then first_amount
            when kind = 'below' and has_one_decimal then first_amount - 0.1
            when kind = 'below'
                then if(is_whole, cast(ceil(first_amount) - 1 as decimal(28, 6)), first_amount)
        end as decimal(28, 6)) as amount_high,
        coalesce(kind = 'above' and amount_low = first_amount, false) as is_low_open,
        coalesce(
            (kind = 'below' and amount_high = first_amount)
            or (kind = 'between' and (
                second_amount % 1 >= 0.99 or is_of_higher_bracket
                -- "Between 7,400 and 7,500" is 7,400 or higher and lower than 7,500, if the rules say so.
                or regexp_matches(
                    rules_text,
                    '\b(lower|less|fewer) than \$?' || cast(try_cast(second_amount as bigint) as varchar) || '(\.0+)?\b'
                )
            )),
            false
        ) as is_high_open,
    from structured
),

amounts as (
    select
        market_id,
        kind as amount_kind,
        amount_source,
        chosen.found.mention as amount_mention,
        amount_low,
        amount_high,
        is_low_open,
        is_high_open,
        unit as amount_unit,
        amount_currency,
        {{ is_amount_contested() }} as is_amount_contested,
        -- Dollars of a share; coins and currencies are told in smaller parts.
        coalesce(category = 'finance' and contains(chosen.found.mention, '$') and first_amount < 10000, false)
            as is_of_cents,
        coalesce(is_touch, false) as is_touch,
        -- Where the next value lies; null where there is one between any two.
        case
            when is_whole then 1
            when has_one_decimal then 0.1
            when is_of_quarters then 0.25
            -- What is told to the last digit is counted.
            when
                unit is null and not is_of_money and first_told % 1 = 0
                and (chosen is null or (chosen.found.first_scale = '' and not contains(chosen.found.first, '.')))
                and coalesce(category, '') not in ('crypto', 'finance', 'economics')
                then 1
        end as amount_step,
        {{ other_numbers() }} as other_numbers,
        {{ numbers_beside_the_amount() }} as extra_numbers,
        text_hash,
    from bounded
)

select * from amounts
