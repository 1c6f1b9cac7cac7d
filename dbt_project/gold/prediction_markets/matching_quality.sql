-- Every pair counts for its class, for its wording and for all.
with results as (
    select
        * exclude (contract_class),
        unnest(list_filter(
            ['all', wording || ' wording', contract_class], lambda name: name is not null
        )) as contract_class,
    from {{ ref("labelled_results") }}
),

counted as (
    select
        universe,
        split,
        contract_class,
        count(*) as labelled_pairs,
        count(*) filter (not is_present) as absent_pairs,
        count(*) filter (is_present and is_same_contract) as same_pairs,
        count(*) filter (is_candidate and is_same_contract) as same_pairs_after_blocking,
        count(*) filter (is_filtered and is_same_contract) as same_pairs_after_vetoes,
        count(*) filter (is_rightly_called_same) as same_pairs_found,
        count(*) filter (is_called_same) as called_same_pairs,
        count(*) filter (is_present and is_clean) as clean_pairs,
        count(*) filter (is_published) as published_pairs,
        count(*) filter (is_rightly_published) as rightly_published_pairs,
        count(is_rightly_called_related) as related_pairs,
        count(*) filter (is_rightly_called_related) as rightly_related_pairs,
        count(*) filter (is_present and trap is not null) as trap_pairs,
        count(*) filter (is_trapped) as trapped_pairs,
        count(score) as scored_pairs,
        -- A decimal: its mean does not depend on the order of adding.
        cast(
            avg(cast(power(score - cast(is_same_contract as integer), 2) as decimal(18, 12))) as double
        ) as brier_score,
    from results
    group by universe, split, contract_class
),

quality as (
    select
        scorers.scorer_version,
        concat_ws(' ', universe, split, contract_class) as quality_id,
        universe,
        split,
        contract_class,
        labelled_pairs,
        absent_pairs,
        same_pairs,
        same_pairs_after_blocking / nullif(same_pairs, 0) as recall_after_blocking,
        same_pairs_after_vetoes / nullif(same_pairs, 0) as recall_after_vetoes,
        called_same_pairs,
        same_pairs_found,
        same_pairs_found / nullif(called_same_pairs, 0) as equal_precision,
        same_pairs_found / nullif(same_pairs, 0) as equal_recall,
        clean_pairs,
        published_pairs,
        rightly_published_pairs,
        rightly_published_pairs / nullif(published_pairs, 0) as published_precision,
        rightly_published_pairs / nullif(clean_pairs, 0) as published_recall,
        related_pairs,
        rightly_related_pairs / nullif(related_pairs, 0) as related_precision,
        trap_pairs,
        trapped_pairs,
        scored_pairs,
        brier_score,
    from counted
    cross join {{ ref("pair_scorers") }} as scorers
)

select * from quality
