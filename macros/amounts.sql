{#- How much a contract asks for, read from its texts.

    silver.without_counters(text)   the text without the numbers that count something else: "top 10",
                                    "map 2", "round of 16", the season "2025-26"
    silver.countable(text)          the text without counters, dates and hours
    silver.amount_mention(text)     the first comparison with an amount in a normalised text, as a
                                    struct of its parts; null where there is none
    silver.amount_scale(word)       "k", "million", ... as a factor
    silver.measure(text)            the measure that a text begins with, in the unit that it is told in here:
                                    an hour is 60 "min", a basis point a hundredth of a "%" -#}
{% macro create_amount_functions() %}
    {#- Frost is "minus 1 or below". -#}
    {%- set currency = "(?:(?:eur|gbp|jpy|inr|cny|brl|mxn) |(?:us|nt|hk|nz|[acrs])?[$])?" -%}
    {%- set number = currency ~ "((?:minus )?\\d+(?:\\.\\d+)?)" -%}
    {%- set scale = " ?(k|m|b|bn|t|thousand|million|billion|trillion)?\\b" -%}
    {%- set unit = " ?(%|°c|°|bps?\\b|percent\\b|points?\\b|degrees\\b)?" -%}
    {%- set amount = number ~ scale ~ unit -%}
    {#- Each with the names of its groups; the order is that of preference. -#}
    {%- set kinds = [
        ("between", "between " ~ amount ~ " ?(?:-|–|to|and) ?" ~ amount, 2),
        ("between", amount ~ " ?(?:-|–|to|through) ?" ~ amount, 2),
        ("at_least", amount ~ " (?:or|and) (?:above|more|higher|hotter|warmer|greater|over|later|better|up|upwards?)\\b", 1),
        ("at_most", amount ~ " (?:or|and) (?:below|less|lower|colder|cooler|fewer|under|down)\\b", 1),
        ("touch_above", "(?:reach(?:es)?|hits?) or (?:exceeds?|surpass(?:es)?) " ~ amount, 1),
        ("at_least", "(?:equals?|meets?|matche?s?|ties) or (?:exceeds?|surpass(?:es)?|beats?) " ~ amount, 1),
        ("at_least", "(?:at least|minimum of|at minimum|at or above|at or over|(?:greater|more|higher) than or equal to|equal to or (?:greater|more|higher|above)(?: than)?) " ~ amount, 1),
        ("at_most", "(?:at most|maximum of|at maximum|up upto|at or below|at or under|(?:less|fewer|lower) than or equal to|equal to or (?:less|fewer|lower|below)(?: than)?) " ~ amount, 1),
        ("above", "(?:above|over|(?:more|greater|higher|larger|bigger|longer|taller|hotter|warmer) than|exceed(?:s|ing)?|surpass(?:es|ing)?|in excess of|tops?|beyond|o/u|over/under) " ~ amount, 1),
        ("below", "(?:below|under|(?:less|fewer|lower|smaller|shorter|cheaper|colder|cooler) than) " ~ amount, 1),
        ("touch_above", "(?:reach(?:es)?|hits?|touch(?:es)?|cross(?:es)?|breaks?|↑|(?:climb|rise|surge|jump|soar)s? (?:to|upto)) " ~ amount, 1),
        ("touch_below", "(?:dips? (?:to|upto|below)|drops? (?:to|upto|below)|falls? (?:to|upto|below)|↓) ?" ~ amount, 1),
        ("exactly", "(?:exactly|precisely|equal to|=) ?" ~ amount, 1),
        ("exactly", "\\bby (\\d+) ?()(bps?)", 1),
        ("exactly", "\\bbe (\\d+(?:\\.\\d+)?) ?()(%|°c?)", 1),
        ("above", "\\( ?minus (\\d+(?:\\.\\d+)?)()()", 1),
        ("below", "\\( ?plus (\\d+(?:\\.\\d+)?)()()", 1),
    ] -%}

    create or replace macro silver.without_counters(text) as regexp_replace(
        text,
        '\b(?:top|map|set|game|week|round(?: of)?|quarter|period|group|district|matchday|race|number|season|episode|part|chapter|q|article|section|level) ?\d+\b'
        || '|\b\d+(?:st|nd|rd|th)\b|\b20\d\d ?[-–/] ?(?:20)?\d\d\b|\b20\d\d\b|\b(?:hot 100|billboard 200|level [1-5]|bo ?\d|dota 2|t20i?|f1|ufc (?:fight night )?\d+|cs2|counter-strike 2|covid-19|h\dn\d)\b',
        ' ', 'g'
    );

    create or replace macro silver.countable(text) as silver.without_counters(
        replace(silver.without_dates(text), coalesce(nullif(silver.clock_mention(text), ''), chr(31)), ' ')
    );

    create or replace macro silver.amount_scale(word) as cast(case word
        when 'k' then 1000
        when 'thousand' then 1000
        when 'm' then 1000000
        when 'million' then 1000000
        when 'b' then 1000000000
        when 'bn' then 1000000000
        when 'billion' then 1000000000
        when 't' then 1000000000000
        when 'trillion' then 1000000000000
        else 1
    end as bigint);

    {#- Words, unit, and one of them as so many parts of how many units. Days, weeks and months are counted as
        often as they are measured. -#}
    {%- set measures = [
        ("%|percent", "%", 1, 1),
        ("°c", "°c", 1, 1),
        ("°|degrees", "°", 1, 1),
        ("bps?", "%", 1, 100),
        ("cents?", "$", 1, 100),
        ("seconds?", "min", 1, 60),
        ("minutes?|mins?", "min", 1, 1),
        ("hours?|hrs?", "min", 60, 1),
        ("inch(?:es)?", "in", 1, 1),
        ("feet|foot|ft", "in", 12, 1),
        ("mm|millimet(?:er|re)s?", "cm", 1, 10),
        ("cm|centimet(?:er|re)s?", "cm", 1, 1),
        ("met(?:er|re)s?", "cm", 100, 1),
        ("km|kilomet(?:er|re)s?", "km", 1, 1),
        ("mph|miles per hour", "mph", 1, 1),
        ("miles?", "mi", 1, 1),
        ("kg|kilos?|kilograms?", "kg", 1, 1),
        ("lbs?", "lb", 1, 1),
        ("tons?|tonnes?", "t", 1, 1),
        ("mw|megawatts?", "mw", 1, 1),
        ("gw|gigawatts?", "mw", 1000, 1),
    ] -%}
    create or replace macro silver.measure(text) as case
        {%- for words, unit, times, parts in measures %}
        when regexp_matches(text, '^[ -]?(?:{{ words }})(?:[^a-z]|$)')
            then struct_pack(unit := '{{ unit }}', times := {{ times }}, parts := {{ parts }})
        {%- endfor %}
    end;

    create or replace macro silver.amount_mention(text) as case
        {%- for kind, pattern, bounds in kinds %}
        when regexp_matches(text, '{{ pattern }}') then struct_pack(
            kind := '{{ kind }}',
            mention := regexp_extract(text, '{{ pattern }}'),
            {%- for name in ["first", "first_scale", "first_unit", "second", "second_scale", "second_unit"] %}
            {{ name }} := {{ "regexp_extract(text, '" ~ pattern ~ "', " ~ loop.index ~ ")" if loop.index <= 3 * bounds else "''" }}
            {{- "," if not loop.last }}
            {%- endfor %}
        )
        {%- endfor %}
    end;
{% endmacro %}


{#- Whether a side without an amount says that of the other: as a bare number, or 1 or more as "scores". -#}
{% macro says_amount(side, other) -%}
    (
        coalesce(
            {{ other }}.amount_high is null and len({{ side }}.other_numbers) = 0
            -- Above nothing is any at all.
            and (({{ other }}.amount_low = 1 and {{ other }}.amount_unit is null) or ({{ other }}.amount_low = 0 and {{ other }}.is_low_open)), false
        )
        or coalesce(list_contains(
            list_transform({{ side }}.other_numbers, lambda number: cast(number as double)),
            cast(coalesce({{ other }}.amount_low, {{ other }}.amount_high) as double)
        ), false)
    )
{%- endmacro %}


{#- Whether all amounts of one side are the other's too. -#}
{% macro is_within(inner, outer) -%}
    (
        coalesce({{ inner }}.amount_low, -1e20) >= coalesce({{ outer }}.amount_low, -1e20)
        and coalesce({{ inner }}.amount_high, 1e20) <= coalesce({{ outer }}.amount_high, 1e20)
        {%- for side in ["low", "high"] %}
        and not coalesce(
            {{ outer }}.is_{{ side }}_open and not {{ inner }}.is_{{ side }}_open
            and {{ inner }}.amount_{{ side }} = {{ outer }}.amount_{{ side }},
            false
        )
        {%- endfor %}
    )
{%- endmacro %}


{#- Of two that leave no value between them one is the other way round: at least 3 or at most 2, above 3 or at most 3.
    What is not told in steps has a value between any two: oil at $60 or above, and at $59 or below. -#}
{% macro is_complement(upper, lower) -%}
    coalesce(
        {{ upper }}.amount_high is null and {{ lower }}.amount_low is null
        and case
            when {{ upper }}.is_low_open != {{ lower }}.is_high_open
                then {{ upper }}.amount_low = {{ lower }}.amount_high
            when not {{ upper }}.is_low_open
                then {{ is_one_step(upper ~ ".amount_low - " ~ lower ~ ".amount_high") }}
        end,
        false
    )
{%- endmacro %}


{#- Between two strikes so far apart there is no value. -#}
{% macro is_one_step(difference) -%}
    (
        coalesce({{ difference }} = kalshi.amount_step and {{ difference }} = polymarket.amount_step, false)
        or {{ is_last_digit(difference) }}
    )
{%- endmacro %}


{#- Two strikes apart by the last digit in which the figure is told: shares and rates have two decimals, currencies
    four, an index two, degrees of Celsius one, and so has what is neither of money nor a rate. A ladder of
    another kind has rungs as far apart. -#}
{% macro is_last_digit(difference) -%}
    case {{ difference }}
        when 0.0001 then true
        when 0.01
            then (kalshi.is_of_cents and polymarket.is_of_cents)
                or (
                    kalshi.category = 'finance' and polymarket.category = 'finance'
                    and coalesce(kalshi.amount_low, kalshi.amount_high) >= 1000
                )
                or (kalshi.amount_unit = '%' and polymarket.amount_unit = '%')
        when 0.1
            then (kalshi.amount_unit = '°c' and polymarket.amount_unit = '°c')
                or coalesce(
                    kalshi.amount_unit, polymarket.amount_unit, kalshi.amount_currency, polymarket.amount_currency
                ) is null
                and not list_has_any([kalshi.category, polymarket.category], ['finance', 'crypto', 'economics'])
        else false
    end
{%- endmacro %}


{#- Where only whole numbers, tenths or cents occur, the same or its opposite: "more than 55" and "56 or more", "4 or more"
    and "no more than 3". -#}
{% macro are_next_numbers() -%}
    {%- set steps = "in (1, 0.1, 0.01)" -%}
    coalesce(
        {%- for bound, other, sign in [("low", "high", 1), ("high", "low", -1)] %}
        (
            kalshi.amount_{{ other }} is null and polymarket.amount_{{ other }} is null
            and kalshi.is_{{ bound }}_open != polymarket.is_{{ bound }}_open
            and if(kalshi.is_{{ bound }}_open, {{ sign }}, {{ -sign }})
                * (polymarket.amount_{{ bound }} - kalshi.amount_{{ bound }}) {{ steps }}
        )
        or
        {%- endfor %}
        {%- for upper, lower in [("kalshi", "polymarket"), ("polymarket", "kalshi")] %}
        (
            {{ upper }}.amount_high is null and {{ lower }}.amount_low is null
            and {{ upper }}.is_low_open = {{ lower }}.is_high_open
            and if({{ upper }}.is_low_open, -1, 1) * ({{ upper }}.amount_low - {{ lower }}.amount_high) {{ steps }}
        )
        {{ "or" if not loop.last }}
        {%- endfor %},
        false
    )
{%- endmacro %}
