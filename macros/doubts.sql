{#- What no score may overlook, of `kalshi`, `polymarket` and their pair, as silver.pair_doubts has them. A doubt is what
    is said of it, as SQL, and when (null says nothing). -#}
{% macro doubts() -%}
    {% do return([
        ("'the condition of one side asks that something is not'", is_condition_negative_of_one()),
        (
            "if(veto_code in ('NEGATION', 'SPAN'), 'the other way round? ', 'another '"
            " || lower(replace(veto_code, '_', ' ')) || '? ') || difference",
            "other_relation = 'unclear'",
        ),
        ("'which outcome is meant was not read'", "polymarket_outcome_index is null"),
        ("'only one side is about one match'", is_match_of_one()),
        ("'only one side names a team'", is_team_of_one()),
        ("'hour read on one side only'", is_hour_of_one()),
        ("'only one side names an alternative (or)'", is_alternative_of_one()),
        (
            "'names in another order: ' || " ~ joined("kalshi_names") ~ " || ' / ' || " ~ joined("polymarket_names"),
            is_other_order(),
        ),
        (
            "'who does it to whom: ' || " ~ joined("kalshi_names"),
            "is_done_by_of_one and len(kalshi_names) > 1 and kalshi_names = polymarket_names",
        ),
        (
            "'only one side names whom it is about: ' || " ~ joined("kalshi.subject_words"),
            is_subject_of("kalshi", "polymarket"),
        ),
        (
            "'only one side names whom it is about: ' || " ~ joined("polymarket.subject_words"),
            is_subject_of("polymarket", "kalshi") ~ " and not coalesce(" ~ is_subject_of("kalshi", "polymarket") ~ ", false)",
        ),
        ("'only one side names who says it'", is_speaker_of_one()),
        ("'names with other endings: ' || " ~ joined("other_endings"), "len(other_endings) > 0"),
        ("'only one side says: ' || " ~ joined("turning_words"), "len(turning_words) > 0"),
        ("'a death is settled in another way'", is_other_death()),
        (
            "'only one side says: ' || array_to_string(numbers_of_one, ', ')",
            "len(numbers_of_one) > 0 and not kalshi.is_game",
        ),
        ("'only one side says: ' || array_to_string(other_numbers_of_one, ', ')", is_number_of_one()),
        (
            "'only one side says how the amount compares'",
            is_comparison_of("kalshi") ~ " or " ~ is_comparison_of("polymarket"),
        ),
        (
            "'the rules of one side compare otherwise than its title'",
            "amounts = 'same' and kalshi.is_amount_contested != polymarket.is_amount_contested",
        ),
        ("'the rules of one side deny what those of the other say'", is_denied_by_other()),
        (
            "'one side asks what the other waives'",
            is_waived("kalshi", "polymarket") ~ " or " ~ is_waived("polymarket", "kalshi"),
        ),
        (
            "'it takes effect in another way'",
            "len(kalshi_effects) > 0 and len(polymarket_effects) > 0 and kalshi_effects != polymarket_effects",
        ),
        ("'only one condition narrows'", is_narrowed_by_one()),
        ("'each condition asks the opposite'", is_opposite_asked()),
        (
            "'any of them, or all'",
            is_any_of_all("kalshi.condition", "polymarket.condition") ~ " or "
            ~ is_any_of_all("polymarket.condition", "kalshi.condition"),
        ),
        ("'hour without a zone'", "not contains(kalshi.window_time, ' ')"),
        ("'each condition names another number'", is_other_number_asked()),
        ("'each side says another number'", is_other_number()),
        ("'at another hour of the day'", is_end_of_day_of_one()),
        ("'at the close, or at any time'", is_close_of_one()),
        ("'only one side is content with an announcement'", is_announcing_of_one()),
        (
            "'only one side counts: ' || " ~ joined(untold_topics("kalshi", "polymarket") ~ " || " ~ untold_topics("polymarket", "kalshi")),
            is_other_count(),
        ),
        ("'each side names another source'", is_other_publisher()),
        ("'each side names another place'", "not kalshi.is_game and " ~ is_named_otherwise("places")),
        ("'each side names another competition'", are_games() ~ " and " ~ is_named_otherwise("competitions")),
        ("'each side quotes another name'", is_other_quote()),
        ("'no word of what they ask is the same'", is_nothing_shared()),
        ("'only one side leaves out'", is_left_out_by_one()),
        ("'deadline read on one side only'", is_end_of_one()),
        ("'only one side says: ' || array_to_string(doubtful_of_one, ', ')", "len(doubtful_of_one) > 0"),
    ]) %}
{%- endmacro %}


{% macro joined(words) -%}
    array_to_string({{ words }}, ' ')
{%- endmacro %}


{#- Who is out is not in office. -#}
{% macro is_condition_negative_of_one() -%}
    kalshi.is_condition_negative != polymarket.is_condition_negative and not is_negated
    and not coalesce(kalshi.outlook = 'ends' and polymarket.outlook = 'ends', false)
{%- endmacro %}


{#- To win a match is not to win the tournament. -#}
{% macro is_match_of_one() -%}
    kalshi.is_game != polymarket.is_game
    and list_contains(
        if(
            kalshi.is_game,
            kalshi.words || kalshi.event_words || kalshi.rules_words,
            polymarket.words || polymarket.event_words
        ),
        'vs'
    )
    and not list_has_all(kalshi.markers, ['series:series'])
    and not is_tie_of_both
{%- endmacro %}


{#- A run of the first inning, and one of the Mariners. -#}
{% macro is_team_of_one() -%}
    {{ are_games() }} and polymarket.event_type = 'binary'
    and (
        {%- for side, other in [("kalshi", "polymarket"), ("polymarket", "kalshi")] %}
        {{ "or " if not loop.first }}(
            len({{ side }}.title_names) = 0 and len({{ side }}.subject_words) = 0
            and len({{ other }}.title_names) > 0 and not list_contains({{ other }}.words, 'vs')
        )
        {%- endfor %}
    )
{%- endmacro %}


{#- The close of a session is at four; what trades at night has other closes. -#}
{% macro is_hour_of_one() -%}
    kalshi.window_time is distinct from polymarket.window_time and other_relation is null
    and not coalesce(kalshi.asked_time = polymarket.asked_time, false)
    and not (
        coalesce(kalshi.window_time, polymarket.window_time) = '16:00 et'
        and not list_contains([kalshi.category, polymarket.category], 'crypto')
        and list_contains(kalshi.rules_words, 'clos') and list_contains(polymarket.rules_words, 'clos')
    )
{%- endmacro %}


{% macro is_alternative_of_one() -%}
    len({{ not_begun_in("kalshi.alternatives", "polymarket.said") }}) > 0
    or len({{ not_begun_in("polymarket.alternatives", "kalshi.said || outcomes_named") }}) > 0
{%- endmacro %}


{% macro is_other_order() -%}
    not {{ is_same_order("kalshi_names", "polymarket_names", "kalshi_runs", "polymarket_runs") }}
    and not is_passive_of_one
    and not {{ is_order_of_subject() }}
    and not {{ is_order_of_authority() }}
    and not kalshi.is_game
    and polymarket.event_type != 'head_to_head'
    -- Then the condition says who does what to whom.
    and not (
        kalshi.is_told_by_condition and polymarket.is_told_by_condition
        and {{ is_same_order_in("kalshi_names", "kalshi.condition", "polymarket.condition") }}
    )
{%- endmacro %}


{#- "The Palme d'Or for Lanthimos": only the place of the subject, which both venues name by itself, is another. -#}
{% macro is_order_of_subject() -%}
    (
        len(kalshi.subject_words) > 0 and kalshi.subject_words = polymarket.subject_words
        and {{ is_same_order(
            not_in("kalshi_names", "kalshi.subject_words"), not_in("polymarket_names", "kalshi.subject_words"),
            "kalshi_runs", "polymarket_runs"
        ) }}
    )
{%- endmacro %}


{#- What an authority approves does not approve the authority; who sues whom is another matter. -#}
{% macro is_order_of_authority() -%}
    (
        len(kalshi_names) = 2
        and list_has_any(kalshi_names, ['faa', 'fda', 'ema', 'fcc', 'epa', 'ferc', 'nrc', 'cdc', 'paho'])
        {%- for side in ["kalshi", "polymarket"] %}
        and list_has_any({{ side }}.words, ['approv', 'authoriz', 'certify', 'licens', 'clear'])
        {%- endfor %}
    )
{%- endmacro %}


{#- "Will OpenAI score 60%?" and "Will a model score 60%?" -#}
{% macro is_subject_of(side, other) -%}
    len({{ side }}.subject_words) > 0
    and not list_has_any({{ other }}.told_words, {{ side }}.subject_words || {{ side }}.subject_names)
    and list_has_all({{ side }}.rules_words, {{ side }}.subject_words)
{%- endmacro %}


{#- What anybody says on a call, and what its chief says. -#}
{% macro is_speaker_of_one() -%}
    list_has_all(['mentions'], [kalshi.category, polymarket.category])
    and len({{ not_in("kalshi.title_names", "polymarket.told_words") }})
    + len({{ not_in("polymarket.title_names", "kalshi.told_words") }}) > 0
{%- endmacro %}


{#- A death that pays on one venue and not on the other; by another deadline, any difference. -#}
{% macro is_other_death() -%}
    if(
        is_negated,
        len(kalshi_deaths) > 0 and kalshi_deaths = polymarket_deaths and kalshi_deaths != ['death:at last price'],
        kalshi_deaths != polymarket_deaths
        and (
            (
                len(kalshi_deaths) > 0 and len(polymarket_deaths) > 0
                and list_contains(kalshi_deaths || polymarket_deaths, 'death:is no')
            )
            or other_relation in ('k_implies_p', 'p_implies_k')
        )
    )
{%- endmacro %}


{#- "A cap at 10%" and a cap. -#}
{% macro is_number_of_one() -%}
    amounts = 'none' and not list_has_any([kalshi.category, polymarket.category], ['sports', 'culture'])
    and (len(kalshi.other_numbers) = 0) != (len(polymarket.other_numbers) = 0)
    and len(other_numbers_of_one) > 0
{%- endmacro %}


{% macro is_comparison_of(side) -%}
    (
        amounts = 'only {{ side }}'
        and not coalesce({{ side }}.amount_low = 1 and {{ side }}.amount_unit is null, false)
        and {{ side }}.amount_source != 'condition'
    )
{%- endmacro %}


{% macro is_denied_by_other() -%}
    not {{ are_games() }}
    and (
        {{ is_denied("kalshi.counted", "polymarket.denied", "kalshi.condition") }}
        or {{ is_denied("polymarket.counted", "kalshi.denied", "polymarket.condition") }}
        or {{ is_word_denied("kalshi", "polymarket") }}
        or {{ is_word_denied("polymarket", "kalshi") }}
    )
{%- endmacro %}


{#- In a single hack, or in all of the year. -#}
{% macro is_of_single(side) -%}
    regexp_matches(coalesce({{ side }}.condition, ''), '\bsingle (hack|exploit|attack|incident|event|day|game|transaction)\b')
{%- endmacro %}


{% macro is_narrowed_by_one() -%}
    {{ is_of_single("kalshi") }} != {{ is_of_single("polymarket") }}
    or len(list_filter(
        {{ not_in("kalshi.condition_stems", "polymarket.said") }}
        || {{ not_in("polymarket.condition_stems", "kalshi.said") }},
        lambda word: list_contains({{ narrowing_words() }}, word)
    )) > 0
    and not list_contains([kalshi.category, polymarket.category], 'sports')
{%- endmacro %}


{#- "The award is valid" and "the award is null and void". -#}
{% macro is_opposite_asked() -%}
    (
        {%- for one, other in [
            ("valid", "void"), ("valid", "invalid"), ("uphold", "overturn"), ("upheld", "overturn"), ("lawful", "unlawful"), ("legal", "illegal"),
            ("approv", "reject"), ("convict", "acquit"), ("constitutional", "unconstitutional"),
        ] %}
        {%- for left, right in [("kalshi", "polymarket"), ("polymarket", "kalshi")] %}
        {{ "or " if not (loop.first and one == "valid" and other == "void") }}(
            list_contains({{ left }}.condition_stems, '{{ one }}') and not list_contains({{ right }}.condition_stems, '{{ one }}')
            and list_contains({{ right }}.condition_stems, '{{ other }}') and not list_contains({{ left }}.condition_stems, '{{ other }}')
        )
        {%- endfor %}
        {%- endfor %}
    )
    and not is_negated
{%- endmacro %}


{% macro is_other_publisher() -%}
    not kalshi.is_game and {{ is_named_otherwise("publishers") }}
    and not list_has_any(kalshi.said, polymarket.publisher_initials)
    and not list_has_any(polymarket.said, kalshi.publisher_initials)
{%- endmacro %}


{#- A moratorium of 7 days and one of 90, at 12:00 UTC and at 20:00 UTC. -#}
{% macro is_other_number_asked() -%}
    not {{ are_games() }} and other_relation is null
    and len({{ not_in("kalshi.asked_numbers", "polymarket.asked_numbers || polymarket.words") }}) > 0
    and len({{ not_in("polymarket.asked_numbers", "kalshi.asked_numbers || kalshi.words") }}) > 0
{%- endmacro %}


{#- "The 737 MAX 7" and "the 737 MAX 10". -#}
{% macro is_other_number() -%}
    amounts = 'none'
    and len({{ not_in("kalshi.other_numbers", "polymarket.other_numbers") }}) > 0
    and len({{ not_in("polymarket.other_numbers", "kalshi.other_numbers") }}) > 0
{%- endmacro %}


{#- At an hour of one day, and until its last minute. -#}
{% macro is_end_of_day_of_one() -%}
    not {{ are_games() }} and other_relation is null
    and kalshi.is_one_day and polymarket.is_one_day
    and (
        (kalshi.asked_time is not null and contains(polymarket.condition, '11 59 pm'))
        or (polymarket.asked_time is not null and contains(kalshi.condition, '11 59 pm'))
    )
{%- endmacro %}


{#- Both ask what is reached, and one of them at the close. -#}
{% macro is_close_of_one() -%}
    kalshi.is_touch and polymarket.is_touch
    and list_has_any([kalshi.category, polymarket.category], ['finance', 'crypto'])
    and kalshi.asks_for_close != polymarket.asks_for_close
{%- endmacro %}


{#- Who leaves or says that he will. -#}
{% macro is_announcing_of_one() -%}
    coalesce(kalshi.outlook = 'ends' and polymarket.outlook = 'ends', false)
    and list_contains(kalshi.markers, 'announcing:counts') != list_contains(polymarket.markers, 'announcing:counts')
    and not (
        list_contains(kalshi.words || kalshi.condition_stems, 'announc')
        and list_contains(polymarket.words || polymarket.condition_stems, 'announc')
    )
    and not list_contains(kalshi.markers || polymarket.markers, 'peace:ceasefire')
{%- endmacro %}


{#- Points, and points with assists; touchdowns, and touchdowns by a pass. -#}
{% macro is_other_count() -%}
    {{ are_games() }} and amounts in ('same', 'complement', 'at the bound')
    and not list_has_any(
        kalshi.markers || polymarket.markers, ['bet_type:spread', 'bet_type:total', 'bet_type:team total']
    )
    and len({{ untold_topics("kalshi", "polymarket") }}) + len({{ untold_topics("polymarket", "kalshi") }}) > 0
{%- endmacro %}


{#- "Gentle Thunder" and "Gentle Thunder Returns". -#}
{% macro is_other_quote() -%}
    least(len(kalshi.quoted_words), len(polymarket.quoted_words)) > 0
    and len({{ not_in("kalshi.quoted_words", "polymarket.said") }})
    + len({{ not_in("polymarket.quoted_words", "kalshi.said") }}) > 0
{%- endmacro %}


{#- To be acquired and to launch a satellite: nothing but the name is the same. -#}
{% macro is_nothing_shared() -%}
    not kalshi.is_game and polymarket.event_type = 'binary'
    and amounts in ('none', 'only kalshi', 'only polymarket')
    and coalesce(kalshi.outlook, polymarket.outlook) is null
    and least(len(kalshi.asked), len(polymarket.asked)) > 0
    and not list_has_any(kalshi.asked, polymarket.said || polymarket.told_words)
    and not list_has_any(polymarket.asked, kalshi.said)
    and not list_has_any(
        {{ not_in("kalshi.condition_stems", "kalshi.title_names || kalshi.subject_words") }},
        polymarket.condition_stems
    )
{%- endmacro %}


{#- "Core" says what is left out, unless both say it. -#}
{% macro is_left_out_by_one() -%}
    (
        len({{ not_in("kalshi.left_out", "polymarket.stems") }}) > 0
        or len({{ not_in("polymarket.left_out", "kalshi.stems") }}) > 0
    )
    and (
        not list_contains(kalshi.words || polymarket.words, 'cor')
        or least(len(kalshi.left_out), len(polymarket.left_out)) > 0
    )
{%- endmacro %}


{#- "The 2027 final" may well be the final. -#}
{% macro is_end_of_one() -%}
    (kalshi.window_ends_on is null) != (polymarket.window_ends_on is null)
    and not kalshi.is_edition and not polymarket.is_edition
    and not is_tie_of_both
    and not {{ is_end_named("kalshi", "polymarket") }}
    and not {{ is_end_named("polymarket", "kalshi") }}
    and not {{ is_period_named("kalshi", "polymarket") }}
    and not {{ is_period_named("polymarket", "kalshi") }}
{%- endmacro %}
