{#- The groups of markers that part two listings, of `kalshi` and `polymarket` as silver.pair_vetoes has them: both have
    some of the group and none in common, or only one has and silence says otherwise. -#}
{% macro kinds_apart() -%}
    if(kalshi.markers != polymarket.markers, list_sort(list_distinct(list_filter(
        list_intersect(kalshi.marker_groups, polymarket.marker_groups)
        || kalshi.strict_groups || polymarket.strict_groups,
        lambda marker_group: not list_has_any(
            {{ markers_of("kalshi.markers", "marker_group") }}, {{ markers_of("polymarket.markers", "marker_group") }}
        )
        and not (
            {{ is_group_of_one() }}
            and ({{ is_group_of_conditions() }} or {{ is_group_left_open() }})
        )
    ))), [])
{%- endmacro %}


{% macro is_group_of_one() -%}
    (
        len({{ markers_of("kalshi.markers", "marker_group") }}) = 0
        or len({{ markers_of("polymarket.markers", "marker_group") }}) = 0
    )
{%- endmacro %}


{#- The conditions of both say what one title does. "The estimate for the fourth quarter and the year" has both. -#}
{% macro is_group_of_conditions() -%}
    (
        marker_group not in ('period', 'session')
        and list_has_any(
            list_intersect(kalshi.condition_markers, polymarket.condition_markers),
            {{ markers_of("kalshi.markers || polymarket.markers", "marker_group") }}
        )
    )
{%- endmacro %}


{#- Silence says nothing of a quarter, where the other's window is not the whole year; nor of the stage of one match of
    two sides on one day. -#}
{% macro is_group_left_open() -%}
    case marker_group
        when 'stage' then {{ are_games() }} or {{ is_stage_told("kalshi") }} or {{ is_stage_told("polymarket") }}
        -- "Game 3 of the series".
        when 'series'
            then len(list_filter(
                    kalshi.markers || polymarket.markers, lambda marker: starts_with(marker, 'period:game')
                )) > 0
        when 'period'
            then (
                -- "Game 3" of the finals is that of the day.
                {{ are_games() }}
                and list_has_any(kalshi.markers || polymarket.markers, ['sport:basketball', 'sport:hockey'])
                and len(list_filter(
                    {{ markers_of("kalshi.markers || polymarket.markers", "'period'") }},
                    lambda marker: not starts_with(marker, 'period:game')
                )) = 0
            )
            or (
                not list_contains([kalshi.category, polymarket.category], 'sports')
                and not coalesce(
                    kalshi.window_starts_on = polymarket.window_starts_on
                    and kalshi.window_ends_on = polymarket.window_ends_on
                    and kalshi.window_ends_on - kalshi.window_starts_on > if(
                        list_has_any(kalshi.markers || polymarket.markers, ['period:half 1', 'period:half 2']), 190, 100
                    ), false
                )
            )
        else false
    end
{%- endmacro %}


{#- Both ask who advances, and to the stage that the title of `side` names: "from its quarterfinal" is a round
    further. -#}
{% macro is_stage_told(side) -%}
    (
        list_has_all(list_intersect(kalshi.markers, polymarket.markers), ['bet_type:qualify'])
        and len(list_filter(
            list_transform(
                {{ markers_of(side ~ ".markers", "'stage'") }}, lambda marker: split_part(marker, ':', 2)
            ),
            lambda stage: contains(kalshi.asked_to, stage) and contains(polymarket.asked_to, stage)
        )) > 0
    )
{%- endmacro %}
