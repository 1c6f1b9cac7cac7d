{{ config(materialized="table") }}

-- What no veto parts, and what differs in one field only: the features speak of the rest.
with compared as (
    select
        pair_id,
        '' as apart_by,
        false as is_negated,
    from {{ ref("filtered_pairs") }}
    union all
    select
        pair_id,
        veto_code as apart_by,
        is_negated,
    from {{ ref("related_pairs") }}
),

own_words as (
    select
        doubts.pair_id,
        labels.event_group as own_event_group,
        unnest(doubts.own_words) as word,
    from compared
    inner join {{ ref("pair_doubts") }} as doubts on compared.pair_id = doubts.pair_id
    left join {{ ref("labels") }} as labels on compared.pair_id = labels.pair_id and labels.universe = 'labelled'
),

-- Of a pair that the words were learned from, what other events say of them.
unknown_words as (
    select
        own_words.pair_id,
        count(*) filter (
            len(list_filter(
                coalesce(harmless.event_groups, []), lambda event_group: event_group is distinct from own_event_group
            )) < 2
        ) as unknown_words,
    from own_words
    left join {{ ref("harmless_words") }} as harmless on own_words.word = harmless.word
    group by own_words.pair_id
),

sided as (
    select
        compared.*,
        sides.kalshi_market_id,
        sides.polymarket_market_id,
        sides.polymarket_outcome_index,
        sides.orientation,
        sides.amounts,
        len(doubts.doubts) > 0 as is_in_doubt,
        coalesce(unknown_words.unknown_words, 0) as unknown_words,
    from compared
    inner join {{ ref("pair_sides") }} as sides on compared.pair_id = sides.pair_id
    inner join {{ ref("pair_doubts") }} as doubts on compared.pair_id = doubts.pair_id
    left join unknown_words on compared.pair_id = unknown_words.pair_id
),

terms as (
    select
        market_id,
        universe,
        platform,
        event_type,
        topic_words,
        event_topic_words,
        rules_words,
        ordered_words,
        outcome_words,
        title_names,
        subject_words,
        window_ends_on,
        is_game,
        outlook,
        markers,
        word_key,
    from {{ ref("contract_terms") }}
    where
        market_id in (
            select kalshi_market_id from sided
            union all
            select polymarket_market_id from sided
        )
),

listed_words as (
    select
        universe,
        market_id,
        unnest(list_distinct(topic_words)) as word,
    from terms
),

-- Weights are whole millionths: their sums are the same in any order.
weighed as (
    select
        listed_words.market_id,
        list(struct_pack(
            word := listed_words.word, weight := cast(round(coalesce(weights.weight, 1) * 1e6) as bigint)
        )) as topics,
    from listed_words
    left join {{ ref("word_weights") }} as weights
        on listed_words.universe = weights.universe and listed_words.word = weights.word
    group by listed_words.market_id
),

-- What is asked of one listing, once for all its pairs.
listings as (
    select
        terms.market_id,
        terms.event_type,
        terms.topic_words,
        terms.rules_words,
        terms.subject_words,
        terms.window_ends_on,
        terms.is_game,
        terms.outlook,
        terms.markers,
        terms.word_key,
        coalesce(weighed.topics, []) as topics,
        list_distinct(terms.title_names || terms.subject_words) as names,
        list_distinct(terms.ordered_words) as ordered_words,
        {{ told_words("terms") }} as told_words,
    from terms
    left join weighed on terms.market_id = weighed.market_id
),

pairs as (
    select
        sided.pair_id,
        sided.apart_by,
        sided.is_in_doubt,
        sided.polymarket_outcome_index,
        -- What is asked, and that it is not so, are two questions, and a listing of each is no rival of the other.
        if(polymarket.event_type = 'binary', sided.is_negated != (sided.orientation = 'inverted'), false)
            as is_opposite,
        sided.amounts,
        sided.unknown_words,
        kalshi,
        polymarket,
        {{ not_in("kalshi.names", "polymarket.told_words") }} as kalshi_untold_names,
        {{ not_in("polymarket.names", "kalshi.told_words") }} as polymarket_untold_names,
        -- Told by its own rules too: a name that the condition asks for.
        list_filter(kalshi_untold_names, lambda name: list_contains(kalshi.rules_words, name)) as kalshi_asked_names,
        list_filter(polymarket_untold_names, lambda name: list_contains(polymarket.rules_words, name))
            as polymarket_asked_names,
        list_filter(kalshi.ordered_words, lambda word: list_contains(polymarket.ordered_words, word)) as kalshi_order,
        list_filter(polymarket.ordered_words, lambda word: list_contains(kalshi.ordered_words, word))
            as polymarket_order,
        {%- for side in ["kalshi", "polymarket"] %}
        -- "Leaves", "out" and "still": where both have an outlook it tells what these words would.
        if(
            kalshi.outlook is not null and polymarket.outlook is not null,
            list_filter({{ side }}.topics, lambda topic: not list_contains({{ words_of_outlooks() }}, topic.word)),
            {{ side }}.topics
        ) as {{ side }}_topics,
        {%- endfor %}
        list_transform(kalshi_topics, lambda topic: topic.weight) as kalshi_weights,
        list_transform(polymarket_topics, lambda topic: topic.weight) as polymarket_weights,
        list_transform(
            list_filter(kalshi_topics, lambda topic: list_contains(polymarket.topic_words, topic.word)),
            lambda topic: topic.weight
        ) as shared_weights,
        list_transform(
            list_filter(kalshi_topics, lambda topic: not list_contains(polymarket.told_words, topic.word)),
            lambda topic: topic.weight
        ) as kalshi_untold_weights,
        list_transform(
            list_filter(polymarket_topics, lambda topic: not list_contains(kalshi.told_words, topic.word)),
            lambda topic: topic.weight
        ) as polymarket_untold_weights,
    from sided
    inner join listings as kalshi on sided.kalshi_market_id = kalshi.market_id
    inner join listings as polymarket on sided.polymarket_market_id = polymarket.market_id
),

-- Of no words the sum is null.
weighted as (
    select
        *,
        coalesce(list_sum(kalshi_weights), 0) as kalshi_weight,
        coalesce(list_sum(polymarket_weights), 0) as polymarket_weight,
        coalesce(list_sum(shared_weights), 0) as shared_weight,
        coalesce(list_sum(kalshi_untold_weights), 0) as kalshi_untold_weight,
        coalesce(list_sum(polymarket_untold_weights), 0) as polymarket_untold_weight,
        greatest(list_max(kalshi_weights), list_max(polymarket_weights)) as heaviest,
    from pairs
),

features as (
    select
        pairs.pair_id,
        pairs.apart_by,
        pairs.is_in_doubt,
        pairs.is_opposite,
        pairs.polymarket_outcome_index,
        pairs.kalshi.market_id as kalshi_market_id,
        pairs.polymarket.market_id as polymarket_market_id,
        coalesce(shared_weight / nullif(kalshi_weight + polymarket_weight - shared_weight, 0), 0) as topic_similarity,
        coalesce((kalshi_weight - kalshi_untold_weight) / nullif(kalshi_weight, 0), 0) as kalshi_told,
        coalesce((polymarket_weight - polymarket_untold_weight) / nullif(polymarket_weight, 0), 0) as polymarket_told,
        coalesce(coalesce(list_max(kalshi_untold_weights), 0) / nullif(heaviest, 0), 1) as kalshi_heaviest_untold,
        coalesce(coalesce(list_max(polymarket_untold_weights), 0) / nullif(heaviest, 0), 1)
            as polymarket_heaviest_untold,
        least(len(kalshi_untold_names), 3) / 3 as kalshi_names_untold,
        least(len(polymarket_untold_names), 3) / 3 as polymarket_names_untold,
        if(pairs.kalshi.is_game and pairs.polymarket.is_game, 0, least(len(kalshi_asked_names), 2) / 2)
            as kalshi_names_asked_alone,
        if(pairs.kalshi.is_game and pairs.polymarket.is_game, 0, least(len(polymarket_asked_names), 2) / 2)
            as polymarket_names_asked_alone,
        -- Rules that were not sent say nothing for or against: 0.57 is what two share on average. No word is twice
        -- among a listing's: a filter is a quarter of what list_intersect takes.
        coalesce(
            len(list_filter(pairs.kalshi.rules_words, lambda word: list_contains(pairs.polymarket.rules_words, word)))
            / nullif(least(len(pairs.kalshi.rules_words), len(pairs.polymarket.rules_words)), 0), 0.57
        ) as rules_shared,
        -- Of a condition that was not sent nothing is known: 0.36 is what two have on average.
        if(
            least(len(pairs.kalshi.rules_words), len(pairs.polymarket.rules_words)) = 0, 0.36,
            least(unknown_words, 2) / 2
        ) as unknown_words_alone,
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
            and len({{ not_in("pairs.kalshi.subject_words", "pairs.polymarket.told_words") }}) = 0 as double
        ) as is_subject_told,
        cast(coalesce(pairs.kalshi.word_key = pairs.polymarket.word_key, false) as double) as is_worded_same,
    from weighted as pairs
),

measured as (
    select
        *,
        (topic_similarity + kalshi_told + polymarket_told + rules_shared) / 4 as likeness,
    from features
),

-- Where one of the two has a better match, this is hardly one; that it has none says nothing.
rivals as (
    select
        *,
        max(likeness) filter (not is_in_doubt) over (
            partition by kalshi_market_id, apart_by, is_opposite
        ) as best_of_kalshi,
        max(likeness) filter (not is_in_doubt) over (
            partition by polymarket_market_id, polymarket_outcome_index, apart_by, is_opposite
        ) as best_of_polymarket,
    from measured
),

ranked as (
    select
        * exclude (
            kalshi_market_id, polymarket_market_id, polymarket_outcome_index, apart_by, is_in_doubt, is_opposite,
            likeness, best_of_kalshi, best_of_polymarket
        ),
        coalesce(cast(likeness + 0.02 < greatest(best_of_kalshi, best_of_polymarket) as double), 0)
            as is_more_alike_elsewhere,
    from rivals
)

select * from ranked
