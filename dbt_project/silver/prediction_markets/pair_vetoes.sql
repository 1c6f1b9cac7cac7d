{{ config(materialized="table") }}

with pairs as (
    select
        candidates.pair_id,
        kalshi,
        polymarket,
    from {{ ref("candidate_pairs") }} as candidates
    inner join {{ ref("contract_terms") }} as kalshi on candidates.kalshi_market_id = kalshi.market_id
    inner join {{ ref("contract_terms") }} as polymarket on candidates.polymarket_market_id = polymarket.market_id
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

strike as (
    select
        pair_id,
        'STRIKE' as veto_code,
        cast(kalshi.numbers as varchar) as kalshi_value,
        cast(polymarket.numbers as varchar) as polymarket_value,
    from pairs
    where list_sort(kalshi.numbers) != list_sort(polymarket.numbers)
),

operator as (
    select
        pair_id,
        'OPERATOR' as veto_code,
        cast({{ shared_words("kalshi.words", comparison_words()) }} as varchar) as kalshi_value,
        cast({{ shared_words("polymarket.words", comparison_words()) }} as varchar) as polymarket_value,
    from pairs
    where kalshi_value != polymarket_value
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

instant as (
    select
        pair_id,
        case when kalshi.is_game and polymarket.is_game then 'INSTANCE_DATE' else 'INSTANT' end as veto_code,
        cast(kalshi.window_ends_on as varchar) as kalshi_value,
        cast(polymarket.window_ends_on as varchar) as polymarket_value,
    from pairs
    where kalshi.window_ends_on != polymarket.window_ends_on
),

-- Hours are compared where both name their zone.
hour as (
    select
        pair_id,
        'INSTANT' as veto_code,
        kalshi.window_time as kalshi_value,
        polymarket.window_time as polymarket_value,
    from pairs
    where
        kalshi.window_time != polymarket.window_time
        and contains(kalshi.window_time, ' ')
        and contains(polymarket.window_time, ' ')
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
        kalshi.window_ends_on = polymarket.window_ends_on
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
        kalshi.window_ends_on = polymarket.window_ends_on
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
    cross join {{ ref("clock") }} as clock
    where
        kalshi.window_ends_on = polymarket.window_ends_on
        and (kalshi.window_starts_on is null) != (polymarket.window_starts_on is null)
        and coalesce(kalshi.window_starts_on, polymarket.window_starts_on) > clock.as_of
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
    where kalshi.is_whole_window != polymarket.is_whole_window
),

-- A clause that decides payouts and that only one side's rules have.
rules as (
    select
        pairs.pair_id,
        markers.veto_code,
        string_agg(markers.marker, ', ' order by markers.marker)
        filter (list_contains(pairs.kalshi.rule_markers, markers.marker)) as kalshi_value,
        string_agg(markers.marker, ', ' order by markers.marker)
        filter (list_contains(pairs.polymarket.rule_markers, markers.marker)) as polymarket_value,
    from pairs
    inner join {{ ref("rule_markers") }} as markers
        on list_contains(pairs.kalshi.rule_markers, markers.marker)
            != list_contains(pairs.polymarket.rule_markers, markers.marker)
    where pairs.kalshi.has_rules and pairs.polymarket.has_rules
    group by pairs.pair_id, markers.veto_code
),

vetoes as (
    select
        pair_id || '|' || veto_code as veto_id,
        *,
    from (
        {% for veto in [
            "placeholder", "strike", "operator", "negation", "instant", "hour", "one_day", "window_start",
            "later_start", "whole_window", "rules"
        ] -%}
        {{ "union all" if not loop.first }}
        select * from {{ veto }}
        {% endfor -%}
    )
)

select * from vetoes
