{{ config(materialized="table") }}

with legs as (
    select distinct
        outcome_id,
        market_id,
        platform,
        external_id,
        token_id,
        outcome_id = market_id || ':0' as is_first,
    from {{ ref("lock_legs") }}
    where token_id is not null
),

-- Materialized: DuckDB would compare the time first, of every book that was ever fetched.
kalshi_held as materialized (
    select * from {{ ref("kalshi_order_books") }}
    where
        {{ is_latest(
            "kalshi_order_books", "latest_books", "book_id in (select legs.external_id from legs)", "kalshi"
        ) }}
        and ticker in (select legs.external_id from legs)
),

kalshi_latest as (
    select books.*
    from kalshi_held as books
    where books.fetched_at <= (select clock.as_of from {{ ref("pricing_clock") }} as clock)
    qualify row_number() over (partition by books.ticker order by books.fetched_at desc, books.record_number desc) = 1
),

polymarket_held as materialized (
    select * from {{ ref("polymarket_order_books") }}
    where
        {{ is_latest(
            "polymarket_order_books", "latest_books", "book_id in (select legs.token_id from legs)", "polymarket"
        ) }}
        and token_id in (select legs.token_id from legs)
),

polymarket_latest as (
    select books.*
    from polymarket_held as books
    where books.fetched_at <= (select clock.as_of from {{ ref("pricing_clock") }} as clock)
    qualify row_number() over (partition by books.token_id order by books.fetched_at desc, books.record_number desc) = 1
),

kalshi_grids as (
    select
        ticker,
        arg_max(price_grid, (fetched_at, record_number)) as price_grid,
    from {{ ref("kalshi_markets") }}
    where
        {{ is_latest(
            "kalshi_markets", "listings", "market_id in (select legs.market_id from legs)", "kalshi"
        ) }}
        and not is_gone
        and ticker in (select legs.external_id from legs)
    group by ticker
),

polymarket_minimums as (
    select
        polymarket_id,
        arg_max(minimum_order_size, (fetched_at, record_number)) as minimum_order_size,
    from {{ ref("polymarket_markets") }}
    where
        {{ is_latest(
            "polymarket_markets", "listings", "market_id in (select legs.market_id from legs)", "polymarket"
        ) }}
        and not is_gone
        and polymarket_id in (select legs.external_id from legs)
    group by polymarket_id
),

-- Kalshi sends bids only: who bids for NO offers YES at a dollar less that bid.
kalshi as (
    select
        legs.*,
        books.yes_bids || books.no_bids as sent_levels,
        if(legs.is_first, books.yes_bids, books.no_bids) as bids,
        {{ opposite_levels("if(legs.is_first, books.no_bids, books.yes_bids)") }} as asks,
        cast(1 as decimal(28, 8)) as minimum_order_size,
        grids.price_grid,
        books.is_gone,
        books.rejections,
        null as changed_at,
        books.fetched_at,
    from legs
    inner join kalshi_latest as books on legs.platform = 'kalshi' and legs.external_id = books.ticker
    left join kalshi_grids as grids on legs.external_id = grids.ticker
),

polymarket as (
    select
        legs.*,
        books.bids || books.asks as sent_levels,
        books.bids,
        books.asks,
        -- Book and listing are not of one moment: of two the larger.
        greatest(books.minimum_order_size, minimums.minimum_order_size) as minimum_order_size,
        case
            when books.tick_size is not null
                then [
                        struct_pack(
                            starts_at := books.tick_size,
                            ends_at := cast(1 - books.tick_size as decimal(12, 8)),
                            step := books.tick_size
                        )
                    ]
        end as price_grid,
        books.is_gone,
        books.rejections,
        books.changed_at,
        books.fetched_at,
    from legs
    inner join polymarket_latest as books on legs.platform = 'polymarket' and legs.token_id = books.token_id
    left join polymarket_minimums as minimums on legs.external_id = minimums.polymarket_id
),

checked as (
    select
        * exclude (sent_levels, is_first, rejections),
        {{ best_price("bids", "max") }} as best_bid_price,
        {{ best_price("asks", "min") }} as best_ask_price,
        {{ book_problem() }} as rejection_reason,
    from (
        select * from kalshi
        union all by name
        select * from polymarket
    ) as books
)

select * from checked
