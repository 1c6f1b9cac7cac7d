{#- Questions of one line, as table macros; made anew whenever opportunities are. Names are without a
    database, so that a copied file answers as well.

    from gold.pair_at_size('kalshi:A|polymarket:1', 250)    each way to hold this pair, 250 contracts of each leg
    from gold.locks_above(0.01)                             every lock, were the threshold 1 %
    from gold.annualised_above(0.20)                        opportunities that return more than 20 % a year
    from gold.live_opportunities()                          pairs that are active now, by the wall clock: no quote
                                                            is older than maximum_quote_age_seconds
    from gold.book_at('kalshi:A', '2026-10-01 12:00:00')    both sides of a market's book as it was last
                                                            fetched by then
    from gold.pair('kalshi:A|polymarket:1')                 both listings side by side: relation, vetoes, quotes and
                                                            best prices, texts, what was read from them
    from gold.bars('coinbase', 'BTC-USD', 300)              trades and books of each five minutes

    The last one is made with the bars of order books. -#}
{% macro create_what_ifs() %}
    create or replace macro gold.pair_at_size(pair, size) as table
    with sizes as (
        select
            lock_id,
            case when size >= 1 and size = floor(size) then try_cast(size as bigint) end as contracts,
        from silver.locks
        where pair_id = pair
    ),

    walked as (
        {{ walked_locks("sizes", "silver.locks", "silver.bought_legs", "silver.ask_ladders") }}
    )

    select
        locks.direction,
        sizes.contracts,
        cast(walked.cost as decimal(18, 8)) as cost,
        cast(walked.fee_worst as decimal(18, 8)) as fee_worst,
        cast(walked.profit as decimal(18, 8)) as profit,
        cast(walked.profit / nullif(walked.cost + walked.fee_worst, 0) as decimal(18, 8)) as profit_margin,
        case
            when sizes.contracts is null then ['a number of contracts is whole, and at least 1']
            when walked.lock_id is null and len(locks.blocked_reasons) = 0
                then ['only ' || locks.depth_contracts || ' contracts on offer']
            when sizes.contracts < locks.minimum_contracts
                then locks.blocked_reasons || ['less than the minimum order of ' || locks.minimum_contracts]
            else locks.blocked_reasons
        end as blocked_reasons,
        locks.suspect_reasons,
    from sizes
    inner join silver.locks on sizes.lock_id = locks.lock_id
    left join walked on sizes.lock_id = walked.lock_id
    order by locks.direction;

    {#- At ends of levels: between two of them fewer or more contracts may earn a cent more. -#}
    create or replace macro gold.locks_above(margin) as table
    select
        walks.lock_id,
        any_value(locks.pair_id) as pair_id,
        any_value(locks.event_key) as event_key,
        any_value(locks.relation) as relation,
        any_value(locks.direction) as direction,
        arg_max(walks.contracts, walks.profit) as contracts,
        cast(max(walks.profit) as decimal(18, 8)) as profit,
        max(walks.profit / (walks.cost + walks.fee_worst)) as top_margin,
        max(walks.contracts) filter (walks.profit > margin * (walks.cost + walks.fee_worst)) as threshold_contracts,
        any_value(locks.suspect_reasons) as suspect_reasons,
    from silver.lock_walks as walks
    inner join silver.locks on walks.lock_id = locks.lock_id
    group by walks.lock_id
    having threshold_contracts is not null
    order by profit desc;

    create or replace macro gold.annualised_above(annual_return) as table
    select *
    from gold.arbitrage_opportunities
    where annualised_return > annual_return and status != 'expired'
    order by annualised_return desc;

    create or replace macro gold.live_opportunities() as table
    select *
    from gold.arbitrage_opportunities
    where status = 'active' and now() at time zone 'UTC' between detected_at and quotes_expire_at
    order by profit desc;

    create or replace macro gold.book_at(market, moment) as table
    with sides as (
        {{ sides_at("kalshi", "external_id || ':yes'", "yes_bids", "no_bids") }}
        union all
        {{ sides_at("kalshi", "external_id || ':no'", "no_bids", "yes_bids") }}
        union all
        {{ sides_at("polymarket", "token_id", "bids", "asks") }}
    )

    select
        sides.label as outcome,
        sides.side,
        row_number() over (
            partition by sides.label, sides.side order by if(sides.side = 'ask', sides.entry.price, -sides.entry.price)
        ) as level_number,
        sides.entry.price as price,
        sides.entry.size as size,
        sides.fetched_at,
    from sides
    where sides.entry.size > 0
    order by outcome, sides.side, level_number;

    create or replace macro gold.pair(pair) as table
    with listings as (
        select
            *,
            unnest(outcomes) as outcome,
            market_id || ':' || (generate_subscripts(outcomes, 1) - 1) as outcome_id,
        from gold.markets
        where list_contains(string_split(pair, '|'), market_id)
    ),

    texts as (
        unpivot (
            select distinct
                platform,
                title,
                subtitle,
                event_title,
                description as rules,
                nullif(array_to_string(ineligible_reasons, ', '), '') as not_matched_because,
                cast(end_at as varchar) as closes_at,
                url,
            from listings
        )
        on columns(* exclude (platform)) into name name value value
    ),

    terms as (
        unpivot (
            select
                platform,
                cast(columns(lambda name: name not in (
                    'market_id', 'platform', 'universe', 'word_key', 'terms_hash'
                )) as varchar),
            from silver.contract_terms
            where list_contains(string_split(pair, '|'), market_id)
        )
        on columns(* exclude (platform)) into name name value value
    ),

    quotes as (
        unpivot (
            select
                platform,
                outcome.label as label,
                cast(outcome.bid_price as varchar) as bid,
                cast(outcome.ask_price as varchar) as ask,
            from listings
        )
        on bid, ask into name name value value
    ),

    sides as (
        select 5 as part_number, 'text' as part, name, platform, value from texts
        union all
        select 6, 'terms', name, platform, value from terms
        union all
        select 3, 'listed quote', label || ' ' || name, platform, value from quotes
        union all
        select
            4,
            'book',
            listings.outcome.label || ' ' || levels.side,
            listings.platform,
            levels.price || ' for ' || levels.size || ' at ' || levels.fetched_at,
        from listings
        inner join silver.book_levels as levels on listings.outcome_id = levels.outcome_id
        where levels.level_number = 1
    ),

    facts as (
        select
            part_number,
            part,
            name,
            max(value) filter (platform = 'kalshi') as kalshi,
            max(value) filter (platform = 'polymarket') as polymarket,
            cast(null as varchar) as of_both,
        from sides
        group by part_number, part, name
        union all
        select 2, 'veto', veto_code, kalshi_value, polymarket_value, null
        from silver.pair_vetoes
        where pair_id = pair
        union all
        select 1, 'relation', fact.name, null, null, fact.value
        from (
            select
                unnest([
                    struct_pack(name := 'relation', value := relation),
                    struct_pack(name := 'orientation', value := orientation),
                    struct_pack(name := 'reasoning', value := reasoning),
                    struct_pack(name := 'tier', value := tier),
                    struct_pack(name := 'blocking_rule', value := blocking_rule)
                ]) as fact,
            from gold.market_similarities
            where pair_id = pair
        )
        where fact.value is not null
    )

    select
        part,
        name,
        kalshi,
        polymarket,
        of_both,
        case when of_both is null then kalshi is distinct from polymarket end as is_different,
    from facts
    order by part_number, part, name;

    comment on macro table gold.pair_at_size is 'Each way to hold a pair, so many contracts of each leg';
    comment on macro table gold.locks_above is 'Every lock, were the threshold this margin';
    comment on macro table gold.annualised_above is 'Opportunities that return more than this a year';
    comment on macro table gold.live_opportunities is 'What is active by the wall clock, its quotes not too old';
    comment on macro table gold.book_at is 'Both sides of a market''s book as it was last fetched by then';
    comment on macro table gold.pair is 'Both listings side by side: relation, vetoes, prices, texts, terms';
{% endmacro %}


{#- The bars of trades and of books that begin together; all of one side is null where only the other has a
    bar. Made when both tables are there, whichever was built first. -#}
{% macro create_bars() %}
    {%- if load_relation(ref("trade_bars")) %}
    create or replace macro gold.bars(market, instrument, seconds) as table
    select
        coalesce(trades.started_at, books.started_at) as started_at,
        trades.open,
        trades.high,
        trades.low,
        trades.close,
        trades.vwap,
        trades.volume,
        trades.buy_ratio,
        trades.trade_count,
        books.close as mid_price,
        books.mean_spread_bps,
        books.mean_imbalance_5,
        books.valid_share,
    from (
        select * from gold.trade_bars
        where exchange = market and symbol = instrument and duration_seconds = seconds
    ) as trades
    full join (
        select * from gold.order_book_bars
        where exchange = market and symbol = instrument and duration_seconds = seconds
    ) as books
        on trades.started_at = books.started_at
    order by started_at;

    comment on macro table gold.bars is 'Trades and books of each interval of so many seconds, side by side';
    {%- else %}
    select 1
    {%- endif %}
{% endmacro %}


{#- The sides of one market's tokens in the newest book of a venue that was fetched by then. -#}
{% macro sides_at(platform, token, bids, asks) -%}
    {%- set book_key = "ticker" if platform == "kalshi" else "token_id" -%}
    {%- set outcome_key = "external_id" if platform == "kalshi" else "token_id" -%}
    select
            outcomes.label,
            sides.side,
            unnest(case sides.side
                when 'bid' then newest.book.{{ bids }}
                {% if platform == "kalshi" -%}
                else {{ opposite_levels("newest.book." ~ asks) }}
                {%- else -%}
                else newest.book.{{ asks }}
                {%- endif %}
            end) as entry,
            newest.book.fetched_at as fetched_at,
        from silver.market_outcomes as outcomes
        inner join (
            select
                books.{{ book_key }} as book_key,
                arg_max(books, (books.fetched_at, books.record_number)) as book,
            from bronze.{{ platform }}_order_books as books
            where books.fetched_at <= cast(moment as timestamp)
            group by books.{{ book_key }}
        ) as newest
            on outcomes.{{ outcome_key }} = newest.book_key
        cross join (values ('bid'), ('ask')) as sides (side)
        where outcomes.market_id = market and outcomes.platform = '{{ platform }}' and outcomes.token_id = {{ token }}
{%- endmacro %}
