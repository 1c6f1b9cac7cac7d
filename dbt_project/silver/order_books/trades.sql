{{ config(materialized="incremental", incremental_strategy="append") }}

with arrived as (
    select
        'coinbase' as feed,
        'coinbase' as exchange,
        product_id as symbol,
        frame_number,
        record_number,
        trade_id,
        traded_at,
        price,
        size,
        side,
        is_backfill,
    from {{ ref("coinbase_trades") }}
    where len(rejections) = 0 {{ only_new_frames("coinbase") }}
    union all
    select
        'ccxt' as feed,
        exchange,
        symbol,
        frame_number,
        0 as record_number,
        trade_id,
        traded_at,
        price,
        size,
        side,
        false as is_backfill,
    from {{ ref("ccxt_trades") }}
    where len(rejections) = 0 {{ only_new_frames("ccxt") }}
),

-- A trade is told again by a line that was written twice, and after a reconnect.
first_told as (
    select *,
    from arrived
    {% if is_incremental() -%}
    where
        not exists (
            select 1
            from {{ this }} as held
            where
                held.traded_at >= (select min(told.traded_at) from arrived as told)
                and held.exchange = arrived.exchange
                and held.symbol = arrived.symbol
                and held.trade_id = arrived.trade_id
        )
    {%- endif %}
    qualify row_number() over (
        partition by exchange, symbol, trade_id order by frame_number, record_number
    ) = 1
),

-- A frame lists its trades newest first. Numbers go on from those that are held.
numbered as (
    select
        *,
        row_number() over (
            order by frame_number, try_cast(trade_id as bigint) nulls last, record_number desc
        ) {%- if is_incremental() %} + (select coalesce(max(trade_number), 0) from {{ this }}) {%- endif %}
            as trade_number,
    from first_told
),

with_previous as (
    select
        *,
        coalesce(
            lag(price) over (partition by exchange, symbol order by trade_number)
            {%- if is_incremental() %},
            (
                select arg_max(held.price, held.trade_number)
                from {{ this }} as held
                where held.exchange = numbered.exchange and held.symbol = numbered.symbol
            )
            {%- endif %}
        ) as previous_price,
    from numbered
)

select
    exchange,
    symbol,
    trade_number,
    trade_id,
    traded_at,
    price,
    size,
    side,
    side = 'buy' as is_buy,
    price * size as dollar_volume,
    case side when 'buy' then size when 'sell' then -size end as signed_volume,
    ln(price / previous_price) as log_return,
    cast(hour(traded_at) as integer) as hour,
    cast(isodow(traded_at) as integer) as day_of_week,
    is_backfill,
    feed,
    frame_number,
from with_previous
