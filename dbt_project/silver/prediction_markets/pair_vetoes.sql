{{ config(
    materialized="incremental",
    incremental_strategy="delete+insert",
    unique_key="pair_id",
    post_hook="{{ drop_gone('pair_hash', 'pair_sides') }}"
) }}

with said as (
    select
        market_id,
        -- Everything that the side says.
        topic_words || event_topic_words || rules_words
        || if(platform = 'polymarket', flatten(outcome_words), []) as words,
    from {{ ref("contract_terms") }}
),

-- A pair is held with all that is asked of it: no long lists.
terms as (
    select
        columns(
            lambda name: name not in (
                'rules_words', 'topic_words', 'event_topic_words', 'ordered_words', 'outcome_words', 'outcome_labels',
                'added_words', 'event_words', 'cut_names', 'clauses', 'condition', 'word_key'
            )
        ),
    from {{ ref("contract_terms") }}
),

pairs as (
    select
        candidates.pair_id,
        sides.amounts,
        kalshi,
        polymarket,
        -- Where both have a subject, it is that which has to be the same; a rival is named by the event.
        len(kalshi.subject_words) > 0 and len(polymarket.subject_words) > 0
        and polymarket.event_type = 'binary' as have_subjects,
        {{ not_in(
            "if(len(kalshi.subject_words) > 0, kalshi.subject_words, kalshi.title_names)",
            "if(have_subjects, polymarket.subject_words, polymarket_said.words)"
        ) }} as untold_on_polymarket,
        {{ not_in(
            "if(have_subjects, polymarket.subject_words, polymarket.title_names)",
            "if(have_subjects, kalshi.subject_words, kalshi_said.words)"
        ) }} as untold_on_kalshi,
    from {{ ref("candidate_pairs") }} as candidates
    inner join {{ ref("pair_sides") }} as sides on candidates.pair_id = sides.pair_id
    inner join terms as kalshi on candidates.kalshi_market_id = kalshi.market_id
    inner join terms as polymarket on candidates.polymarket_market_id = polymarket.market_id
    inner join said as kalshi_said on candidates.kalshi_market_id = kalshi_said.market_id
    inner join said as polymarket_said on candidates.polymarket_market_id = polymarket_said.market_id
    where {{ is_not_held("pair_hash", "sides.pair_hash") }}
),

placeholder as (
    select
        pair_id,
        'PLACEHOLDER' as veto_code,
        cast(kalshi.is_placeholder as varchar) as kalshi_value,
        cast(polymarket.is_placeholder as varchar) as polymarket_value,
    from pairs
    where kalshi.is_placeholder or polymarket.is_placeholder
),

-- An amount of one side that the other says nowhere is another contract, not an unknown one.
strike as (
    select
        pair_id,
        'STRIKE' as veto_code,
        {{ amount_text("kalshi") }} as kalshi_value,
        {{ amount_text("polymarket") }} as polymarket_value,
    from pairs
    where
        amounts = 'other amount'
        or (
            amounts = 'only kalshi' and kalshi.amount_source != 'condition'
            and not {{ says_amount("polymarket", "kalshi") }}
        )
        or (
            amounts = 'only polymarket' and polymarket.amount_source != 'condition'
            and not {{ says_amount("kalshi", "polymarket") }}
        )
        or (
            amounts = 'none' and len(kalshi.other_numbers) > 0 and len(polymarket.other_numbers) > 0
            and not list_has_any(kalshi.other_numbers, polymarket.other_numbers)
        )
),

operator as (
    select
        pair_id,
        'OPERATOR' as veto_code,
        {{ amount_text("kalshi") }} as kalshi_value,
        {{ amount_text("polymarket") }} as polymarket_value,
    from pairs
    where
        amounts = 'other comparison'
        -- Where the cent decides, nobody will see the bound itself; a figure of one decimal often hits it.
        or (amounts = 'at the bound' and coalesce(kalshi.amount_unit, polymarket.amount_unit, '') = '%')
),

touch as (
    select
        pair_id,
        'METRIC' as veto_code,
        if(kalshi.is_touch, 'at any time', 'at one time') as kalshi_value,
        if(polymarket.is_touch, 'at any time', 'at one time') as polymarket_value,
    from pairs
    where kalshi.is_touch != polymarket.is_touch and amounts not in ('only kalshi', 'only polymarket', 'none')
),

unit as (
    select
        pair_id,
        'UNIT' as veto_code,
        kalshi.amount_unit as kalshi_value,
        polymarket.amount_unit as polymarket_value,
    from pairs
    where kalshi.amount_unit != polymarket.amount_unit
),

negation as (
    select
        pair_id,
        'NEGATION' as veto_code,
        cast({{ shared_words("kalshi.words", negations()) }} as varchar) as kalshi_value,
        cast({{ shared_words("polymarket.words", negations()) }} as varchar) as polymarket_value,
    from pairs
    where kalshi_value != polymarket_value
),

outlook as (
    select
        pair_id,
        'NEGATION' as veto_code,
        kalshi.outlook as kalshi_value,
        polymarket.outlook as polymarket_value,
    from pairs
    where kalshi.outlook != polymarket.outlook
),

-- Both name somebody whom the other never mentions.
subject as (
    select
        pair_id,
        'SUBJECT' as veto_code,
        array_to_string(untold_on_polymarket, ' ') as kalshi_value,
        array_to_string(untold_on_kalshi, ' ') as polymarket_value,
    from pairs
    where len(untold_on_polymarket) > 0 and len(untold_on_kalshi) > 0
),

instant as (
    select
        pair_id,
        case when kalshi.is_game and polymarket.is_game then 'INSTANCE_DATE' else 'INSTANT' end as veto_code,
        cast(kalshi.window_ends_on as varchar) as kalshi_value,
        cast(polymarket.window_ends_on as varchar) as polymarket_value,
    from pairs
    where
        kalshi.window_ends_on != polymarket.window_ends_on
        -- "The 2027 finals" are on some day of 2027.
        and not (
            (kalshi.is_edition or polymarket.is_edition)
            and coalesce(kalshi.window_starts_on < polymarket.window_ends_on, true)
            and coalesce(polymarket.window_starts_on < kalshi.window_ends_on, true)
            and (kalshi.is_edition or kalshi.window_ends_on <= polymarket.window_ends_on)
            and (polymarket.is_edition or polymarket.window_ends_on <= kalshi.window_ends_on)
        )
),

-- Hours are compared where both name their zone.
hour as (
    select
        pair_id,
        'INSTANT' as veto_code,
        coalesce(kalshi.window_time, kalshi.condition_time) as kalshi_value,
        coalesce(polymarket.window_time, polymarket.condition_time) as polymarket_value,
    from pairs
    where
        kalshi_value != polymarket_value
        and contains(kalshi_value, ' ')
        and contains(polymarket_value, ' ')
        -- Games begin when they begin; two in one day are hours apart.
        and (
            not (kalshi.is_game and polymarket.is_game)
            or abs(cast(kalshi_value[:2] as integer) - cast(polymarket_value[:2] as integer)) >= 2
        )
        and not coalesce(kalshi.window_ends_on != polymarket.window_ends_on, false)
),

-- On one day, or at any time up to it.
one_day as (
    select
        pair_id,
        'WINDOW' as veto_code,
        coalesce(cast(kalshi.window_starts_on as varchar), 'from the start') as kalshi_value,
        coalesce(cast(polymarket.window_starts_on as varchar), 'from the start') as polymarket_value,
    from pairs
    where
        not kalshi.is_edition and not polymarket.is_edition
        and kalshi.window_ends_on = polymarket.window_ends_on
        and coalesce(kalshi.window_ends_on - kalshi.window_starts_on = 1, false)
        != coalesce(polymarket.window_ends_on - polymarket.window_starts_on = 1, false)
),

window_start as (
    select
        pair_id,
        'WINDOW' as veto_code,
        cast(kalshi.window_starts_on as varchar) as kalshi_value,
        cast(polymarket.window_starts_on as varchar) as polymarket_value,
    from pairs
    where
        not kalshi.is_edition and not polymarket.is_edition
        and kalshi.window_ends_on = polymarket.window_ends_on
        and kalshi.window_starts_on != polymarket.window_starts_on
        and (kalshi.window_ends_on - kalshi.window_starts_on = 1)
        = (polymarket.window_ends_on - polymarket.window_starts_on = 1)
),

-- "In December" leaves out what "by December 31" lets in, until December has begun.
later_start as (
    select
        pair_id,
        'WINDOW' as veto_code,
        coalesce(cast(kalshi.window_starts_on as varchar), 'from the start') as kalshi_value,
        coalesce(cast(polymarket.window_starts_on as varchar), 'from the start') as polymarket_value,
    from pairs
    where
        not kalshi.is_edition and not polymarket.is_edition
        and kalshi.window_ends_on = polymarket.window_ends_on
        and (kalshi.window_starts_on is null) != (polymarket.window_starts_on is null)
        and (kalshi.is_window_ahead or polymarket.is_window_ahead)
        and coalesce(kalshi.window_ends_on - kalshi.window_starts_on, 0) != 1
        and coalesce(polymarket.window_ends_on - polymarket.window_starts_on, 0) != 1
),

-- Every day of the window, or one of them.
whole_window as (
    select
        pair_id,
        'SPAN' as veto_code,
        if(kalshi.is_whole_window, 'all the time', 'at one time') as kalshi_value,
        if(polymarket.is_whole_window, 'all the time', 'at one time') as polymarket_value,
    from pairs
    where
        kalshi.is_whole_window != polymarket.is_whole_window
        -- "Not through March" is the other side of "by March".
        and not coalesce(
            kalshi.outlook != polymarket.outlook
            and if(kalshi.is_whole_window, kalshi.outlook, polymarket.outlook) = 'goes on', false
        )
        and not (
            {{ shared_words("kalshi.words", negations()) }} != {{ shared_words("polymarket.words", negations()) }}
            and len({{ shared_words("if(kalshi.is_whole_window, kalshi.words, polymarket.words)", negations()) }}) > 0
        )
),

-- What kind it is: two that have nothing in common, or one where silence says otherwise.
kinds as (
    select
        pair_id,
        kalshi.markers as kalshi_markers,
        polymarket.markers as polymarket_markers,
        kalshi.is_game and polymarket.is_game as is_one_game,
        unnest(list_distinct(list_transform(
            {{ not_in("kalshi.markers", "polymarket.markers") }}
            || {{ not_in("polymarket.markers", "kalshi.markers") }},
            lambda marker: split_part(marker, ':', 1)
        ))) as marker_group,
    from pairs
    where kalshi.markers != polymarket.markers
),

kind as (
    select
        kinds.pair_id,
        marker_groups.veto_code,
        string_agg(kinds.kalshi_text, '; ' order by marker_groups.marker_group) as kalshi_value,
        string_agg(kinds.polymarket_text, '; ' order by marker_groups.marker_group) as polymarket_value,
    from (
        select
            *,
            {{ markers_of("kalshi_markers", "marker_group") }} as kalshi_found,
            {{ markers_of("polymarket_markers", "marker_group") }} as polymarket_found,
            array_to_string(kalshi_found, ', ') as kalshi_text,
            array_to_string(polymarket_found, ', ') as polymarket_text,
        from kinds
    ) as kinds
    inner join {{ ref("marker_groups") }} as marker_groups on kinds.marker_group = marker_groups.marker_group
    where
        -- How it ends when it does not end makes a caveat.
        marker_groups.veto_code not in ('TAIL', 'DEATH_OR_VOID')
        -- One match of two sides on one day: which stage it belongs to need not be said.
        and not (kinds.is_one_game and kinds.marker_group = 'stage' and (kalshi_text = '' or polymarket_text = ''))
        and not list_has_any(kalshi_found, polymarket_found)
        and (
            (len(kalshi_found) > 0 and len(polymarket_found) > 0)
            or list_has_any(marker_groups.strict_markers, list_transform(
                kalshi_found || polymarket_found, lambda marker: regexp_replace(marker, ' \d+$', '')
            ) || kalshi_found || polymarket_found)
        )
    group by kinds.pair_id, marker_groups.veto_code
),

-- One row a code, whatever reasons it has.
vetoes as (
    select
        pair_id || '|' || veto_code as veto_id,
        pair_id,
        veto_code,
        string_agg(kalshi_value, '; ' order by kalshi_value, polymarket_value) as kalshi_value,
        string_agg(polymarket_value, '; ' order by kalshi_value, polymarket_value) as polymarket_value,
    from (
        {% for veto in [
            "placeholder", "strike", "operator", "touch", "unit", "negation", "outlook", "subject", "instant", "hour",
            "one_day", "window_start", "later_start", "whole_window", "kind"
        ] -%}
        {{ "union all" if not loop.first }}
        select * from {{ veto }}
        {% endfor -%}
    ) as found
    group by pair_id, veto_code
),

hashed as (
    select
        vetoes.*,
        sides.pair_hash,
    from vetoes
    inner join {{ ref("pair_sides") }} as sides on vetoes.pair_id = sides.pair_id
)

select * from hashed
