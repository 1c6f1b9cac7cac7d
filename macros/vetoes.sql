{#- What parts two listings, of `kalshi`, `polymarket` and their pair, as silver.pair_vetoes has them. A rule is a code,
    when it speaks (null says nothing), and the value of a [side]. -#}
{% macro vetoes() -%}
    {% do return([
        (
            "PLACEHOLDER",
            "kalshi.is_placeholder or polymarket.is_placeholder",
            "cast([side].is_placeholder as varchar)",
        ),
        ("STRIKE", is_other_amount(), amount_text("[side]")),
        ("OPERATOR", is_other_comparison(), amount_text("[side]")),
        ("METRIC", is_touch_of_one(), "if([side].is_touch, 'at any time', 'at one time')"),
        ("UNIT", unit_of("kalshi") ~ " != " ~ unit_of("polymarket"), unit_of("[side]")),
        ("NEGATION", is_denied_by_one(), "cast([side].negations as varchar)"),
        ("NEGATION", "kalshi.outlook != polymarket.outlook", "[side].outlook"),
        ("NEGATION", "kalshi.movement != polymarket.movement", "[side].movement"),
        ("SUBJECT", is_other_subject(), "array_to_string([side]_untold, ' ')"),
        ("INSTANCE_DATE", are_games() ~ " and " ~ is_other_end(), "cast([side].window_ends_on as varchar)"),
        ("INSTANT", "not " ~ are_games() ~ " and " ~ is_other_end(), "cast([side].window_ends_on as varchar)"),
        ("INSTANT", is_other_hour(), "[side]_time"),
        (
            "WINDOW",
            is_other_start(),
            "coalesce(cast([side].window_starts_on as varchar), 'from the start')",
        ),
        ("SPAN", is_whole_window_of_one(), "if([side].is_whole_window, 'all the time', 'at one time')"),
    ]) %}
{%- endmacro %}


{% macro are_games() -%}
    (kalshi.is_game and polymarket.is_game)
{%- endmacro %}


{% macro unit_of(side) -%}
    coalesce({{ side }}.amount_unit, {{ side }}.amount_currency)
{%- endmacro %}


{#- An amount of one side that the other says nowhere is another contract, not an unknown one. -#}
{% macro is_other_amount() -%}
    amounts = 'other amount'
    {%- for side, other in [("kalshi", "polymarket"), ("polymarket", "kalshi")] %}
    or (
        amounts = 'only {{ side }}' and {{ side }}.amount_source != 'condition'
        and not {{ says_amount(other, side) }}
    )
    {%- endfor %}
    or (
        amounts = 'none' and len(kalshi.other_numbers) > 0 and len(polymarket.other_numbers) > 0
        and (
            not list_has_any(kalshi.other_numbers, polymarket.other_numbers)
            or (kalshi.other_numbers != polymarket.other_numbers and list_has_any(
                kalshi.markers || polymarket.markers, ['bet_type:exact score', 'bet_type:series score 4']
            ))
        )
    )
{%- endmacro %}


{#- Where the cent decides, nobody will see the bound itself; figures that are measured are rounded and often hit it, and
    a share closes on the cent. -#}
{% macro is_other_comparison() -%}
    amounts = 'other comparison'
    or (
        amounts = 'at the bound' and (
            coalesce(kalshi.amount_unit, polymarket.amount_unit) is not null
            or list_contains([kalshi.category, polymarket.category], 'economics')
            or (kalshi.is_of_cents and polymarket.is_of_cents)
        )
    )
{%- endmacro %}


{#- At any time, or at one; what has no close is asked of any time, in whatever words. -#}
{% macro is_touch_of_one() -%}
    kalshi.is_touch != polymarket.is_touch
    and amounts not in ('only kalshi', 'only polymarket', 'none')
    and (
        if(kalshi.is_touch, polymarket.names_moment, kalshi.names_moment)
        or list_has_any([kalshi.category, polymarket.category], ['finance', 'crypto', 'economics'])
    )
{%- endmacro %}


{% macro is_denied_by_one() -%}
    kalshi.negations != polymarket.negations
    -- "No one" and "exactly 0" are one amount.
    and not (
        coalesce(amounts = 'same' and kalshi.amount_high = 0, false)
        and {{ is_told_by_the_amount(["no", "nobody", "noth"]) }}
    )
    -- "Avoid a contraction", of which the condition says "0% or higher".
    and not (amounts = 'complement' and {{ is_told_by_the_amount(["avoid", "fail", "not", "no"]) }})
    -- "Sanctions against Russia", of which the rules of both speak.
    and not (
        list_contains(kalshi.told_words, 'against') and list_contains(polymarket.told_words, 'against')
        and {{ not_in("kalshi.negations", "['against']") }} = {{ not_in("polymarket.negations", "['against']") }}
    )
{%- endmacro %}


{#- One side alone denies, in such words only, and its amount, which is not its title's, has taken that in. -#}
{% macro is_told_by_the_amount(denials) -%}
    (
        least(len(kalshi.negations), len(polymarket.negations)) = 0
        and len({{ not_in("kalshi.negations || polymarket.negations", denials) }}) = 0
        and if(len(kalshi.negations) > 0, kalshi.amount_source, polymarket.amount_source) in ('condition', 'rung')
    )
{%- endmacro %}


{#- Both name somebody whom the other never mentions. -#}
{% macro is_other_subject() -%}
    (
        (len(kalshi_untold) > 0 and len(polymarket_untold) > 0)
        -- The points of one team are not those of the other.
        or (
            list_contains(kalshi.markers || polymarket.markers, 'bet_type:team total')
            and len(kalshi.title_names) > 0 and len(polymarket.title_names) > 0
            and not list_has_any(kalshi.title_names, polymarket.title_names)
        )
        -- "Over 2.5 goals" names nobody; its game names all whom the other's title names.
        or (
            {{ are_games() }}
            and least(len(kalshi.title_names), len(polymarket.title_names)) = 0
            and len(polymarket_untold) + len(kalshi_untold) > 0
            and len(polymarket_untold) + len(kalshi_untold) = len(kalshi.title_names) + len(polymarket.title_names)
        )
    )
    and not {{ is_acronym("kalshi.subject_words", "polymarket.subject_words") }}
    and not {{ is_acronym("polymarket.subject_words", "kalshi.subject_words") }}
{%- endmacro %}


{#- "SDP" for the Social Democratic Party: the one word of a side has the first letters of all of the other. Of two
    words that is soon so ("CA" and Aaron Carter). -#}
{% macro is_acronym(words, others) -%}
    (
        len({{ others }}) = 1 and len({{ words }}) > 2
        and list_sort(string_split({{ others }}[1], ''))
        = list_sort(list_transform({{ words }}, lambda word: word[1]))
    )
{%- endmacro %}


{% macro is_other_end() -%}
    kalshi.window_ends_on != polymarket.window_ends_on
    and not names_one_day
    -- Who leaves before a day is not in office on it.
    and not (
        is_outlook_opposite and 1 = if(
            kalshi.outlook = 'ends', polymarket.window_ends_on - kalshi.window_ends_on,
            kalshi.window_ends_on - polymarket.window_ends_on
        )
    )
    -- A ticker of 27 is the season of 2027, or that which begins in it.
    and not (
        kalshi.window_source = 'ticker'
        and list_contains(kalshi.named_ends, cast(polymarket.window_ends_on as varchar))
    )
    -- "The 2027 finals" are on some day of 2027.
    and not (
        (kalshi.is_edition or polymarket.is_edition)
        and coalesce(kalshi.window_starts_on < polymarket.window_ends_on, true)
        and coalesce(polymarket.window_starts_on < kalshi.window_ends_on, true)
        and (kalshi.is_edition or kalshi.window_ends_on <= polymarket.window_ends_on)
        and (polymarket.is_edition or polymarket.window_ends_on <= kalshi.window_ends_on)
    )
{%- endmacro %}


{#- Where both name their zone. Games begin when they begin; two in one day are hours apart. -#}
{% macro is_other_hour() -%}
    kalshi_time != polymarket_time
    and contains(kalshi_time, ' ')
    and contains(polymarket_time, ' ')
    and (
        not {{ are_games() }}
        or abs(cast(kalshi_time[:2] as integer) - cast(polymarket_time[:2] as integer)) >= 2
    )
    and not coalesce(kalshi.window_ends_on != polymarket.window_ends_on, false)
{%- endmacro %}


{% macro is_other_start() -%}
    not names_one_day
    and not (kalshi.is_cumulative and polymarket.is_cumulative)
    -- Who leaves at any time before it.
    and not (
        is_outlook_opposite
        and if(kalshi.outlook = 'ends', kalshi.window_starts_on, polymarket.window_starts_on) is null
    )
    and not kalshi.is_edition and not polymarket.is_edition
    and kalshi.window_ends_on = polymarket.window_ends_on
    and not coalesce(kalshi.condition_starts_on = polymarket.condition_starts_on, false)
    and (
        -- On one day, or at any time up to it.
        kalshi.is_one_day != polymarket.is_one_day
        or kalshi.window_starts_on != polymarket.window_starts_on
        -- "In December" leaves out what "by December 31" lets in, until December has begun.
        or (
            (kalshi.window_starts_on is null) != (polymarket.window_starts_on is null)
            and (kalshi.is_window_ahead or polymarket.is_window_ahead)
        )
    )
{%- endmacro %}


{#- Every day of the window, or one of them. "Not through March" is the other side of "by March". -#}
{% macro is_whole_window_of_one() -%}
    kalshi.is_whole_window != polymarket.is_whole_window
    and not coalesce(
        kalshi.outlook != polymarket.outlook
        and if(kalshi.is_whole_window, kalshi.outlook, polymarket.outlook) = 'goes on', false
    )
    and not (
        kalshi.negations != polymarket.negations
        and len(if(kalshi.is_whole_window, kalshi.negations, polymarket.negations)) > 0
    )
{%- endmacro %}
