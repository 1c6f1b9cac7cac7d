{#- Expressions of contract_amounts about the columns that it has made so far: where an amount may be told, in which
    steps, and which numbers are not the amount. -#}

{#- The places in the order in which they are believed: what the side says comes before what its event says. -#}
{% macro amount_places() -%}
    [
        struct_pack(source := 'subtitle', said := silver.countable(side_text)),
        struct_pack(source := 'title', said := silver.countable(title_text)),
        struct_pack(source := 'subtitle', said := silver.countable(subtitle_text)),
        struct_pack(source := 'event', said := silver.countable(event_text)),
        struct_pack(source := 'condition', said := silver.countable(condition_text)),
        -- "A majority of the 93 seats" is 47 of them; one of two thirds, or one that is lost, is not.
        struct_pack(
            source := 'condition',
            said := case
                when
                    not regexp_matches(
                        title_text || ' ' || condition_text,
                        '\b(thirds?|fifths?|\d/\d|super\w*|less|fewer|short|without|not?|los\w+|fail\w*)\b'
                    )
                    then coalesce('at least ' || cast(try_cast(regexp_extract(
                            condition_text,
                            '\b(?:more than (?:one )?half|majority) of (?:the|its|all) (\d+) (?:\w+ )?'
                            || '(?:seats|members|districts)\b',
                            1
                        ) as integer) // 2 + 1 as varchar), '')
                else ''
            end
        ),
        -- A rung of "How many …?" that is a bare number.
        struct_pack(
            source := 'rung',
            said := if(
                contains(event_text, 'how many') and regexp_matches(subtitle_text, '^ *\d+ *$'),
                'exactly ' || trim(subtitle_text), ''
            )
        )
    ]
{%- endmacro %}


{#- Temperatures are told in whole degrees, scores and counts in whole numbers; halves of them and the last cent are
    ways to say "or more". -#}
{% macro is_told_in_whole_numbers() -%}
    (
        coalesce(unit = '°' and (first_amount % 1 = 0.5 or not contains(chosen.found.first, '.')), false)
        or coalesce(
            unit is null and not is_of_money
            -- Rain has hundredths, and a lead in the polls has tenths.
            and not coalesce(
                category = 'weather'
                and regexp_matches(concat_ws(' ', title_text, side_text, event_text), '\b(inch(es)?|cm|mm)\b'), false
            )
            and not coalesce(
                category != 'sports' and regexp_matches(
                    concat_ws(' ', title_text, event_text),
                    '\b(approval|polls?|polling|ballot|margin|average|lead)\b'
                ), false
            )
            and (
                coalesce(category, '') not in ('crypto', 'finance', 'economics')
                -- So are votes.
                or regexp_matches(title_text, '\b\d+ (\w+ ){0,3}(members?|votes?|meps?|dissents?|officials?)\b')
            )
            and (
                first_amount % 1 = 0.5
                -- Of larger ones nobody will see the bound itself.
                or (not contains(chosen.found.first, '.') and first_amount < 1000)
            ), false
        )
    )
{%- endmacro %}


{#- Percentages have one decimal; yields and mortgage rates have two. -#}
{% macro is_told_in_tenths() -%}
    coalesce(
        (
            -- "0.40%" has two decimals, and so has what basis points add up to.
            unit = '%' and first_told = first_amount and first_amount * 10 % 1 = 0
            and not regexp_matches(chosen.found.first, '\.\d\d')
            and not regexp_matches(title_text, '\b(mortgage|yields?|treasury|sofr)\b')
        )
        or (unit = '°c' and regexp_matches(chosen.found.first, '\.\d$'))
        -- An index of the economy: "above 52.0"; prices and currencies have more.
        or (
            unit is null and category = 'economics' and regexp_matches(chosen.found.first, '^\d\d\d?\.\d$')
            and regexp_matches(
                concat_ws(' ', title_text, event_text), '\b(pmi|ism|sentiment|confidence|optimism|index)\b'
            )
            and not regexp_matches(title_text, '\bdollar index\b|\bdxy\b')
        ), false
    )
{%- endmacro %}


{#- Some central banks move by quarters of a point: a cut of more than 25 is one of 50. Spreads of yields do not. -#}
{% macro is_told_in_quarters() -%}
    coalesce(
        unit = '%' and first_told != first_amount and first_told % 25 = 0 and list_has_any(
            string_split(concat_ws(' ', title_text, event_text), ' '), {{ banks_of_quarters() }}
        ), false
    )
{%- endmacro %}


{#- Central banks that move by quarters of a point: what is rounded up to the next is no other case. -#}
{% macro banks_of_quarters() -%}
    ['fed', 'ecb', 'boe', 'boc', 'boj']
{%- endmacro %}


{#- "Above 3%" or "be 3%" in the title, "3% or more" in the condition. -#}
{% macro is_amount_contested() -%}
    (
        coalesce(
            list_filter(
                mentions,
                lambda place: place.source = 'condition' and place.found.first = chosen.found.first
                and place.found.first_scale = chosen.found.first_scale
                and (
                    starts_with(place.found.kind, 'at_') != starts_with(kind, 'at_')
                    or (place.found.kind = 'exactly') != (kind = 'exactly')
                )
                and place.found.kind in ('above', 'below', 'at_least', 'at_most', 'exactly')
                and kind in ('above', 'below', 'at_least', 'at_most', 'exactly')
            ) != [], false
        ) or (is_of_higher_bracket and chosen.found.kind = 'above')
    )
{%- endmacro %}


{#- Numbers that are neither a date nor a counter, where no amount was read. -#}
{% macro other_numbers() -%}
    case
        when chosen is null
            then list_sort(list_distinct(list_filter(
                    regexp_extract_all(silver.countable(title_text || ' ' || side_text), '\d+(?:\.\d+)?'),
                    -- "St. Pauli 1910"
                    lambda number: not regexp_matches(number, '^1[89]\d\d$')
                )))
    end
{%- endmacro %}


{#- And those beside the amount that was read: "30-year". -#}
{% macro numbers_beside_the_amount() -%}
    case
        when chosen is not null
            then list_distinct(list_filter(
                    regexp_extract_all(
                        replace(silver.countable(title_text), chosen.found.mention, ' '), '\d+(?:\.\d+)?'
                    ),
                    lambda number: len(list_filter(
                        [first_told, second_told, amount_low, amount_high, minutes_beside]
                        -- The title of "103 or above" says ">102", that of "55+" "more than 54.5".
                        || if(
                            (is_whole or unit = '°c' or (unit is null and first_amount % 1 = 0))
                            and chosen.source != 'title',
                            [amount_low - 1, amount_high + 1, amount_low - 0.5, amount_high + 0.5], []
                        ),
                        lambda bound: abs(cast(number as double) - cast(bound as double)) < 0.011
                    )) = 0
                ))
        else []
    end
{%- endmacro %}
