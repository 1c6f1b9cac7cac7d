{{ config(materialized="table") }}

-- Pairs with one veto, which the difference itself explains: a deadline or a strike further on, another
-- place among the first, another source. And those with one of which no rule is sure, with a "not" or without.
with vetoed as (
    select
        *,
        list_sort([kalshi_value, polymarket_value]) as both_values,
    from {{ ref("pair_vetoes") }}
    where
        -- Of the others most are told apart by their subject, and nothing follows from it.
        veto_code in (
            'SOURCE', 'STATION', 'NEGATION', 'SPAN', 'STRIKE', 'OPERATOR', 'COUNT', 'INSTANT', 'WINDOW',
            'UNIT', 'METRIC', 'BET_TYPE', 'ANNOUNCEMENT'
        )
        and (
            vetoes_of_pair = 1
            or (
                vetoes_of_pair = 2 and veto_code != 'NEGATION'
                and pair_hash in (
                    select vetoes.pair_hash from {{ ref("pair_vetoes") }} as vetoes where vetoes.veto_code = 'NEGATION'
                )
            )
        )
),

terms as (
    select
        market_id,
        window_starts_on,
        window_ends_on,
        window_time,
        is_whole_window,
        is_edition,
        is_game,
        words,
        ordered_words,
        subject_words,
        title_names,
        markers,
        window_source,
        is_touch,
        amount_low,
        amount_high,
        is_low_open,
        is_high_open,
        amount_unit,
    from {{ ref("contract_terms") }}
),

pairs as (
    select
        vetoed.*,
        sides.amounts,
        sides.regions,
        sides.orientation,
        kalshi,
        polymarket,
        -- Of a price at an hour a later hour says nothing; what may happen at any time happens by then too.
        (sides.amounts = 'none' or (kalshi.is_touch and polymarket.is_touch))
        and not kalshi.is_whole_window and not polymarket.is_whole_window
        and not kalshi.is_game and not polymarket.is_game
        and not kalshi.is_edition and not polymarket.is_edition
        -- "Number one on February 16" is not something of the week.
        and not coalesce(kalshi.window_ends_on - kalshi.window_starts_on = 1, false)
        and not coalesce(polymarket.window_ends_on - polymarket.window_starts_on = 1, false) as happens_once,
        -- What is read from words alone, and said in many ways: somebody has to read it.
        veto_code in ('NEGATION', 'SPAN', 'WINDOW', 'OPERATOR', 'UNIT', 'METRIC', 'BET_TYPE', 'ANNOUNCEMENT')
        or (veto_code = 'STRIKE' and {{ are_next_numbers() }})
        or (
            veto_code = 'INSTANT'
            and list_has_any([kalshi.window_source, polymarket.window_source], ['condition', 'rules'])
        ) as is_unsure,
        kalshi.window_ends_on = polymarket.window_ends_on
        and coalesce(kalshi.window_starts_on = polymarket.window_starts_on, true)
        and coalesce(kalshi.window_time, '') = coalesce(polymarket.window_time, '') as is_window_same,
        -- "Will it not" is the other side of "will it".
        veto_code = 'NEGATION' and (
            both_values in (['ends', 'goes on'], ['changed', 'unchanged'])
            -- No run in the first inning, of either side; who plays until there is a winner wins or loses.
            or (
                both_values in (['[]', '[no]'], ['[]', '[scoreles]'], ['[]', '[nrfi]'])
                and not list_has_any(
                    list_transform(
                        [kalshi.ordered_words, polymarket.ordered_words],
                        lambda ordered: ordered[list_position(ordered, 'scor') - 1]
                    ),
                    kalshi.title_names || polymarket.title_names
                )
                and list_contains(kalshi.markers, 'period:inning 1')
                and list_contains(polymarket.markers, 'period:inning 1')
            )
            or (
                both_values = ['[]', '[los]']
                and kalshi.is_game and polymarket.is_game
                -- Who loses is who wins on the other side, and by however much.
                and list_has_any(
                    kalshi.subject_words || polymarket.subject_words,
                    [
                        kalshi.ordered_words[list_position(kalshi.ordered_words, 'los') - 1],
                        polymarket.ordered_words[list_position(polymarket.ordered_words, 'los') - 1]
                    ]
                )
                and not list_contains(kalshi.words || polymarket.words, 'by')
                and list_has_any(kalshi.markers || polymarket.markers, ['sport:basketball', 'sport:baseball'])
            )
            -- Of an election there is one winner.
            or (
                both_values = ['[]', '[los]']
                and list_contains(kalshi.ordered_words || polymarket.ordered_words, 'win')
                and list_has_any(kalshi.words, ['election', 'rac'])
                and list_has_any(polymarket.words, ['election', 'rac'])
            )
            -- To avoid defeat is to win or to draw.
            or (
                -- Who withdraws neither makes nor misses the cut.
                not list_has_any(
                    kalshi.markers || polymarket.markers, ['bet_type:draw', 'bet_type:make the cut']
                )
                and both_values[1] = '[]'
                and both_values[2]
                in ('[not]', '[no]', '[never]', '[fail]', '[avoid]', '[except]')
                -- Who wins has avoided defeat: only the other's win is its opposite.
                and not (
                    both_values[2] = '[avoid]' and list_contains(kalshi.words || polymarket.words, 'defeat')
                    and list_has_any(kalshi.subject_words, polymarket.subject_words)
                )
                -- To win with no goal against is more than not to win, and "no candidate wins" is about them all.
                and (
                    not list_contains(both_values, '[no]')
                    {%- for side, other in [("kalshi", "polymarket"), ("polymarket", "kalshi")] %}
                    or (
                        {{ side }}.words[1] = 'no' and (
                            {{ side }}.words[2] not in ('candidat', 'party', 'team', 'player', 'film')
                            or list_contains({{ other }}.words, {{ side }}.words[2])
                        )
                    )
                    {%- endfor %}
                )
                -- Who is another may do it as well, unless only one wins.
                and (
                    not list_contains(both_values, '[except]')
                    or list_has_any(kalshi.ordered_words, ['win', 'winner', 'next'])
                )
            )
        ) as is_negated,
        coalesce(kalshi.window_starts_on, date '1900-01-01') as kalshi_starts_on,
        coalesce(polymarket.window_starts_on, date '1900-01-01') as polymarket_starts_on,
        -- Then it is the clock that differs.
        kalshi_starts_on = polymarket_starts_on and kalshi.window_ends_on = polymarket.window_ends_on as has_same_days,
        cast(nullif(regexp_extract(vetoed.kalshi_value, '^top:top (\d+)$', 1), '') as integer) as kalshi_top,
        cast(nullif(regexp_extract(vetoed.polymarket_value, '^top:top (\d+)$', 1), '') as integer) as polymarket_top,
    from vetoed
    inner join {{ ref("pair_sides") }} as sides on vetoed.pair_hash = sides.pair_hash
    inner join terms as kalshi on sides.kalshi_market_id = kalshi.market_id
    inner join terms as polymarket on sides.polymarket_market_id = polymarket.market_id
),

related as (
    select
        pair_id,
        veto_code,
        case
            when vetoes_of_pair > 1 then null
            when veto_code in ('SOURCE', 'STATION') then 'equal'
            when is_negated then 'equal'
            when veto_code in ('STRIKE', 'OPERATOR', 'COUNT') and not coalesce(is_window_same, false) then null
            -- What is reached at some time may be lost again, and 50 minutes are no 50 tracks.
            when
                veto_code in ('STRIKE', 'OPERATOR') and (
                    kalshi.is_touch != polymarket.is_touch
                    or kalshi.amount_unit is distinct from polymarket.amount_unit
                )
                then null
            when veto_code in ('STRIKE', 'OPERATOR') and regions = 'kalshi within polymarket' then 'k_implies_p'
            when veto_code in ('STRIKE', 'OPERATOR') and regions = 'polymarket within kalshi' then 'p_implies_k'
            when
                veto_code in ('STRIKE', 'OPERATOR') and regions = 'apart'
                and not kalshi.is_touch and not polymarket.is_touch
                then 'mutually_exclusive'
            -- "Number 1 of the Top 10": ten is how long the list is.
            when
                veto_code = 'COUNT'
                and list_contains(kalshi.markers || polymarket.markers, 'place:first of a list')
                then null
            when veto_code = 'COUNT' and kalshi_top < polymarket_top then 'k_implies_p'
            when veto_code = 'COUNT' and kalshi_top > polymarket_top then 'p_implies_k'
            when
                veto_code in ('INSTANT', 'WINDOW') and happens_once and not has_same_days
                and kalshi_starts_on >= polymarket_starts_on and kalshi.window_ends_on <= polymarket.window_ends_on
                then 'k_implies_p'
            when
                veto_code in ('INSTANT', 'WINDOW') and happens_once and not has_same_days
                and polymarket_starts_on >= kalshi_starts_on and polymarket.window_ends_on <= kalshi.window_ends_on
                then 'p_implies_k'
        end as explained_relation,
        coalesce(explained_relation, if(pairs.is_unsure, 'unclear', null)) as relation,
        case
            when veto_code in ('SOURCE', 'STATION') then 'correlated'
            -- Nobody at all is not "anyone other than Lai".
            when is_negated and list_contains(both_values, '[except]') then 'caveat'
            -- Who leaves on the day itself.
            when is_negated and kalshi.window_ends_on != polymarket.window_ends_on then 'caveat'
        end as fungibility,
        is_negated,
        coalesce(is_unsure, false) as is_unsure,
        false as is_said_by_titles,
        concat_ws(' / ', coalesce(kalshi_value, '-'), coalesce(polymarket_value, '-')) as difference,
    from pairs
    where relation is not null and pair_id not in (select staged.pair_id from {{ ref("staged_pairs") }} as staged)
)

select * exclude (explained_relation) from related
union all by name
select * from {{ ref("staged_pairs") }}
