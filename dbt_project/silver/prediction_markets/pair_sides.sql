{{ config(
    materialized="incremental",
    incremental_strategy="delete+insert",
    unique_key="pair_id",
    post_hook="{{ drop_gone('pair_id', 'candidate_pairs') }}"
) }}

with digests as (
    select
        market_id,
        md5_number_lower(concat(terms_hash, '{{ comparing_digest() }}')) as digest,
    from {{ ref("contract_terms") }}
),

hashed as (
    select
        candidates.*,
        xor(kalshi.digest, polymarket.digest) as pair_hash,
    from {{ ref("candidate_pairs") }} as candidates
    inner join digests as kalshi on candidates.kalshi_market_id = kalshi.market_id
    inner join digests as polymarket on candidates.polymarket_market_id = polymarket.market_id
),

changed as (
    select * from hashed where {{ is_not_held("pair_hash", "hashed.pair_hash") }}
),

terms as (
    select
        market_id,
        event_type,
        outcome_labels,
        outcome_words,
        subject_words,
        title_names,
        markers,
        amount_kind,
        amount_low,
        amount_high,
        is_low_open,
        is_high_open,
        amount_unit,
        amount_currency,
        is_of_cents,
        amount_step,
        category,
    from {{ ref("contract_terms") }}
),

pairs as (
    select
        changed.pair_id,
        changed.pair_hash,
        changed.kalshi_market_id,
        changed.polymarket_market_id,
        kalshi,
        polymarket,
    from changed
    inner join terms as kalshi on changed.kalshi_market_id = kalshi.market_id
    inner join terms as polymarket on changed.polymarket_market_id = polymarket.market_id
),

compared as (
    select
        *,
        -- What Kalshi's Yes says of each outcome: how many of its words name it.
        list_transform(
            polymarket.outcome_words, lambda words: len(list_intersect(kalshi.subject_words, words))
        ) as named,
        kalshi.amount_low is not null or kalshi.amount_high is not null as has_kalshi_amount,
        polymarket.amount_low is not null or polymarket.amount_high is not null as has_polymarket_amount,
        coalesce(kalshi.amount_low = polymarket.amount_low, kalshi.amount_low is null and polymarket.amount_low is null)
        and coalesce(
            kalshi.amount_high = polymarket.amount_high, kalshi.amount_high is null and polymarket.amount_high is null
        ) as has_same_bounds,
        -- "Above 65.00" is "65.01 or more" of what is told in cents; and "above 95.0" is at least 95.1, if it has one
        -- decimal, where "above 95" does not say so.
        {%- for bound, other, kind, sign in [("low", "high", "above", 1), ("high", "low", "below", -1)] %}
        {%- set difference = (
            "if(kalshi.is_" ~ bound ~ "_open, " ~ sign ~ ", " ~ -sign ~ ")"
            ~ " * (polymarket.amount_" ~ bound ~ " - kalshi.amount_" ~ bound ~ ")"
        ) %}
        coalesce(
            kalshi.amount_{{ other }} is null and polymarket.amount_{{ other }} is null
            and kalshi.is_{{ bound }}_open != polymarket.is_{{ bound }}_open
            and (
                {{ is_one_step(difference) }}
                or (
                    kalshi.amount_kind = '{{ kind }}' and polymarket.amount_kind = '{{ kind }}'
                    and {{ difference }} = 0.1
                )
            ), false
        ) {{ "or" if not loop.last else "as has_same_step," }}
        {%- endfor %}
        kalshi.is_low_open != polymarket.is_low_open
        or kalshi.is_high_open != polymarket.is_high_open as differs_at_bound,
        {{ is_complement("kalshi", "polymarket") }} or {{ is_complement("polymarket", "kalshi") }} as is_complement,
    from pairs
),

sided as (
    select
        *,
        case
            when polymarket.event_type = 'binary' then list_position(polymarket.outcome_labels, 'Yes')
            -- The favourite gives the points: of two named sides the one in the title.
            when
                list_contains(polymarket.markers, 'bet_type:spread')
                and not list_has_any(
                    polymarket.title_names, polymarket.outcome_words[if(named[1] > named[2], 1, 2)]
                )
                then case
                        -- Who is given points wins as long as the other does not win by more.
                        when
                            polymarket.amount_kind = 'below' and named[1] != named[2]
                            then if(named[1] > named[2], 2, 1)
                    end
            -- "Yes Run" and "No Run".
            when polymarket.outcome_words[1][1] = 'yes' and polymarket.outcome_words[2][1] = 'no' then 1
            when polymarket.outcome_words[1] = ['over'] and has_kalshi_amount then 1
            when polymarket.outcome_words[2] = ['over'] and has_kalshi_amount then 2
            when named[1] > named[2] then 1
            when named[2] > named[1] then 2
        end as said_index,
    from compared
),

sides as (
    select
        pair_id,
        kalshi_market_id,
        polymarket_market_id,
        if(has_kalshi_amount and has_polymarket_amount and is_complement, 3 - said_index, said_index) - 1
            as polymarket_outcome_index,
        -- The other way round when Yes there is No here, or the first of two names the second.
        case
            when polymarket_outcome_index is null then null
            when polymarket.event_type = 'binary' and is_complement and has_kalshi_amount then 'inverted'
            when polymarket.event_type = 'binary' then 'same'
            else if(polymarket_outcome_index = 0, 'same', 'inverted')
        end as orientation,
        case
            when has_kalshi_amount and has_polymarket_amount
                then case
                        when has_same_bounds and differs_at_bound then 'at the bound'
                        when has_same_bounds or has_same_step then 'same'
                        when is_complement then 'complement'
                        when
                            coalesce(kalshi.amount_low, kalshi.amount_high)
                            = coalesce(polymarket.amount_low, polymarket.amount_high)
                            then 'other comparison'
                        else 'other amount'
                    end
            when has_kalshi_amount then 'only kalshi'
            when has_polymarket_amount then 'only polymarket'
            else 'none'
        end as amounts,
        -- Of two regions of one amount: which lies in the other.
        case
            when has_same_bounds and differs_at_bound
                then if(
                        kalshi.is_low_open or kalshi.is_high_open,
                        'kalshi within polymarket',
                        'polymarket within kalshi'
                    )
            when has_kalshi_amount and has_polymarket_amount and not has_same_bounds and not has_same_step
                then case
                        when
                            {{ is_within("kalshi", "polymarket") }}
                            then 'kalshi within polymarket'
                        when
                            {{ is_within("polymarket", "kalshi") }}
                            then 'polymarket within kalshi'
                        when
                            coalesce(kalshi.amount_low, -1e20) > coalesce(polymarket.amount_high, 1e20)
                            or coalesce(polymarket.amount_low, -1e20) > coalesce(kalshi.amount_high, 1e20)
                            then 'apart'
                    end
        end as regions,
        pair_hash,
    from sided
)

select * from sides
