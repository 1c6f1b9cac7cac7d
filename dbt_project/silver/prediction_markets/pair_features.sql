{{ config(materialized="table") }}

-- What no veto parts, and what differs in one field only: the features speak of the rest.
with compared as (
    select
        pair_id,
        false as is_related,
    from {{ ref("filtered_pairs") }}
    union all
    select
        pair_id,
        true as is_related,
    from {{ ref("related_pairs") }}
),

terms as (
    select
        market_id,
        universe,
        topic_words,
        event_topic_words,
        rules_words,
        ordered_words,
        outcome_words,
        title_names,
        subject_words,
        window_ends_on,
        is_game,
        markers,
        word_key,
    from {{ ref("contract_terms") }}
),

pairs as (
    select
        compared.pair_id,
        compared.is_related,
        sides.amounts,
        sides.orientation,
        kalshi,
        polymarket,
        {{ told_words("kalshi") }} as kalshi_words,
        {{ told_words("polymarket") }} as polymarket_words,
        {{ not_in("list_distinct(kalshi.title_names || kalshi.subject_words)", "polymarket_words") }}
            as kalshi_untold_names,
        {{ not_in("list_distinct(polymarket.title_names || polymarket.subject_words)", "kalshi_words") }}
            as polymarket_untold_names,
        -- Told by its own rules too: a name that the condition asks for.
        list_filter(kalshi_untold_names, lambda name: list_contains(kalshi.rules_words, name)) as kalshi_asked_names,
        list_filter(polymarket_untold_names, lambda name: list_contains(polymarket.rules_words, name))
            as polymarket_asked_names,
        list_filter(
            list_distinct(kalshi.ordered_words), lambda word: list_contains(polymarket.ordered_words, word)
        ) as kalshi_order,
        list_filter(
            list_distinct(polymarket.ordered_words), lambda word: list_contains(kalshi.ordered_words, word)
        ) as polymarket_order,
    from compared
    inner join {{ ref("pair_sides") }} as sides on compared.pair_id = sides.pair_id
    inner join terms as kalshi on sides.kalshi_market_id = kalshi.market_id
    inner join terms as polymarket on sides.polymarket_market_id = polymarket.market_id
),

pair_words as (
    select
        pair_id,
        kalshi.universe as universe,
        unnest(list_distinct(kalshi.topic_words || polymarket.topic_words)) as word,
        list_contains(kalshi.topic_words, word) as is_kalshi,
        list_contains(polymarket.topic_words, word) as is_polymarket,
        list_contains(kalshi_words, word) as is_kalshi_told,
        list_contains(polymarket_words, word) as is_polymarket_told,
    from pairs
),

-- Weights are whole millionths: their sums are the same in any order.
weighed as (
    select
        pair_words.*,
        cast(round(coalesce(weights.weight, 1) * 1e6) as bigint) as weight,
    from pair_words
    left join {{ ref("word_weights") }} as weights
        on pair_words.universe = weights.universe and pair_words.word = weights.word
),

alike as (
    select
        pair_id,
        coalesce(sum(weight) filter (is_kalshi and is_polymarket), 0) / sum(weight) as topic_similarity,
        coalesce(sum(weight) filter (is_kalshi and is_polymarket_told), 0)
        / nullif(sum(weight) filter (is_kalshi), 0) as kalshi_told,
        coalesce(sum(weight) filter (is_polymarket and is_kalshi_told), 0)
        / nullif(sum(weight) filter (is_polymarket), 0) as polymarket_told,
        coalesce(max(weight) filter (is_kalshi and not is_polymarket_told), 0) / max(weight) as kalshi_heaviest_untold,
        coalesce(max(weight) filter (is_polymarket and not is_kalshi_told), 0) / max(weight)
            as polymarket_heaviest_untold,
    from weighed
    group by pair_id
),

features as (
    select
        pairs.pair_id,
        pairs.is_related,
        pairs.kalshi.market_id as kalshi_market_id,
        pairs.polymarket.market_id as polymarket_market_id,
        coalesce(alike.topic_similarity, 0) as topic_similarity,
        coalesce(alike.kalshi_told, 0) as kalshi_told,
        coalesce(alike.polymarket_told, 0) as polymarket_told,
        coalesce(alike.kalshi_heaviest_untold, 1) as kalshi_heaviest_untold,
        coalesce(alike.polymarket_heaviest_untold, 1) as polymarket_heaviest_untold,
        least(len(kalshi_untold_names), 3) / 3 as kalshi_names_untold,
        least(len(polymarket_untold_names), 3) / 3 as polymarket_names_untold,
        if(pairs.kalshi.is_game and pairs.polymarket.is_game, 0, least(len(kalshi_asked_names), 2) / 2)
            as kalshi_names_asked_alone,
        if(pairs.kalshi.is_game and pairs.polymarket.is_game, 0, least(len(polymarket_asked_names), 2) / 2)
            as polymarket_names_asked_alone,
        len(list_intersect(pairs.kalshi.rules_words, pairs.polymarket.rules_words))
        / greatest(least(len(pairs.kalshi.rules_words), len(pairs.polymarket.rules_words)), 1) as rules_shared,
        cast(pairs.kalshi_order = pairs.polymarket_order as double) as is_in_order,
        cast(
            pairs.kalshi.window_ends_on is not null and pairs.polymarket.window_ends_on is not null as double
        ) as is_window_of_both,
        cast(
            (pairs.kalshi.window_ends_on is null) != (pairs.polymarket.window_ends_on is null) as double
        ) as is_window_of_one,
        cast(pairs.amounts not in ('none', 'only kalshi', 'only polymarket') as double) as is_amount_of_both,
        least(len({{ not_in("pairs.kalshi.markers", "pairs.polymarket.markers") }}), 5) / 5 as kalshi_markers_alone,
        least(len({{ not_in("pairs.polymarket.markers", "pairs.kalshi.markers") }}), 5) / 5 as polymarket_markers_alone,
        least(len(list_intersect(pairs.kalshi.markers, pairs.polymarket.markers)), 5) / 5 as markers_shared,
        cast(
            len(pairs.kalshi.subject_words) > 0
            and list_has_all(pairs.polymarket_words, pairs.kalshi.subject_words) as double
        ) as is_subject_told,
        cast(coalesce(pairs.kalshi.word_key = pairs.polymarket.word_key, false) as double) as is_worded_same,
    from pairs
    left join alike on pairs.pair_id = alike.pair_id
),

measured as (
    select
        *,
        (topic_similarity + kalshi_told + polymarket_told + rules_shared) / 4 as likeness,
    from features
),

-- Where one of the two has a better match, this is hardly one; that it has none says nothing.
ranked as (
    select
        * exclude (kalshi_market_id, polymarket_market_id, is_related, likeness),
        cast(
            likeness + 0.02 < max(likeness) over (partition by is_related, kalshi_market_id)
            or likeness + 0.02 < max(likeness) over (partition by is_related, polymarket_market_id) as double
        ) as is_more_alike_elsewhere,
    from measured
)

select * from ranked
