with keys as (
    select
        universe,
        blocking_rule,
        count(*) filter (platform = 'kalshi') * count(*) filter (platform = 'polymarket') as possible_pairs,
        possible_pairs > {{ var("maximum_pairs_of_a_key") }} as is_crowded,
    from {{ ref("blocking_keys") }}
    group by universe, blocking_rule, blocking_key
    having possible_pairs > 0
),

counted as (
    select
        universe,
        blocking_rule,
        count(*) filter (not is_crowded) as keys,
        coalesce(sum(possible_pairs) filter (not is_crowded), 0) as pairs,
        count(*) filter (is_crowded) as crowded_keys,
        coalesce(sum(possible_pairs) filter (is_crowded), 0) as pairs_left_to_words,
    from keys
    group by universe, blocking_rule
),

first_found as (
    select
        universe,
        blocking_rule,
        count(*) as candidate_pairs,
    from {{ ref("candidate_pairs") }}
    group by universe, blocking_rule
),

rules as (
    select
        coalesce(counted.universe, first_found.universe) as universe,
        coalesce(counted.blocking_rule, first_found.blocking_rule) as blocking_rule,
        concat_ws(
            ' ', coalesce(counted.universe, first_found.universe),
            coalesce(counted.blocking_rule, first_found.blocking_rule)
        ) as rule_id,
        coalesce(counted.keys, 0) as keys,
        coalesce(counted.pairs, 0) as pairs,
        coalesce(counted.crowded_keys, 0) as crowded_keys,
        coalesce(counted.pairs_left_to_words, 0) as pairs_left_to_words,
        coalesce(first_found.candidate_pairs, 0) as candidate_pairs,
    from counted
    full outer join first_found
        on counted.universe = first_found.universe and counted.blocking_rule = first_found.blocking_rule
)

select * from rules
