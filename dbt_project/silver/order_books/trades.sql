{{ config(
    materialized="incremental",
    incremental_strategy="append",
    pre_hook="{{ keep_to_filters() }}",
) }}

with arrived as (
    select
        'coinbase' as feed,
        'coinbase' as exchange,
        product_id as symbol,
        frame_number,
        record_number,
        trade_id,
        traded_at,
        sent_at as told_at,
        price,
        size,
        side,
        is_backfill,
    from {{ ref("coinbase_trades") }}
    where {{ is_new_frame("coinbase") }} and len(rejections) = 0
    union all
    select
        'ccxt' as feed,
        exchange,
        symbol,
        frame_number,
        0 as record_number,
        trade_id,
        traded_at,
        captured_at as told_at,
        price,
        size,
        side,
        false as is_backfill,
    from {{ ref("ccxt_trades") }}
    where {{ is_new_frame("ccxt") }} and len(rejections) = 0
),

-- A trade is told again by a line that was written twice, and after a reconnect.
new_trades as (
    select *,
    from arrived
    where {{ is_not_told_before() }}
),

first_told as (
    select *,
    from new_trades
    qualify row_number() over (partition by {{ trade_key() }} order by frame_number, record_number) = 1
),

-- A frame lists its trades newest first. Numbers go on from those that are held.
numbered as (
    select
        *,
        row_number() over (
            order by frame_number asc, try_cast(trade_id as bigint) asc nulls last, record_number desc
        ) + {{ highest_held("trade_number") }} as trade_number,
    from first_told
),

{% if is_incremental() -%}
-- Of most symbols the latest trade lies within a day of the new ones, and the rows before are not read.
recent_times as (
    select
        held.exchange,
        held.symbol,
        max(held.traded_at) as traded_at,
    from {{ this }} as held
    where
        held.traded_at >= (select coalesce(min(traded_at), 'infinity') - interval 1 day from numbered)
        and (held.exchange, held.symbol) in (select exchange, symbol from numbered)
    group by all
),

longer_silent as (
    select distinct
        exchange,
        symbol,
    from numbered
    anti join recent_times using (exchange, symbol)
),

latest_times as (
    select *,
    from recent_times
    union all
    select
        held.exchange,
        held.symbol,
        max(held.traded_at) as traded_at,
    from {{ this }} as held
    inner join longer_silent
        on held.exchange = longer_silent.exchange and held.symbol = longer_silent.symbol
    group by all
),
{%- else -%}
latest_times as (
    select
        exchange,
        symbol,
        traded_at,
    from numbered
    where false
),
{%- endif %}

latest_held as (
    select
        held.exchange,
        held.symbol,
        held.traded_at,
        arg_max(held.price, held.trade_number) as price,
    from {{ this if is_incremental() else "numbered" }} as held
    inner join latest_times as latest
        on held.exchange = latest.exchange and held.symbol = latest.symbol and held.traded_at = latest.traded_at
    group by held.exchange, held.symbol, held.traded_at
),

-- A trade that is told after a later one has no return, and none is taken from it.
in_time as (
    select
        numbered.*,
        latest_held.price as held_price,
        coalesce(numbered.traded_at < greatest(latest_held.traded_at, max(numbered.traded_at) over (
            partition by numbered.exchange, numbered.symbol
            order by trade_number
            rows between unbounded preceding and 1 preceding
        )), false) as is_late,
    from numbered
    left join latest_held
        on numbered.exchange = latest_held.exchange and numbered.symbol = latest_held.symbol
),

with_previous as (
    select
        *,
        coalesce(
            last_value(if(is_late, null, price) ignore nulls) over (
                partition by exchange, symbol
                order by trade_number
                rows between unbounded preceding and 1 preceding
            ),
            held_price
        ) as previous_price,
    from in_time
)

select
    exchange,
    symbol,
    trade_number,
    trade_id,
    traded_at,
    told_at,
    price,
    size,
    side,
    side = 'buy' as is_buy,
    price * size as dollar_volume,
    case side when 'buy' then size when 'sell' then -size end as signed_volume,
    case when not is_late then ln(price / previous_price) end as log_return,
    cast(hour(traded_at) as integer) as hour,
    cast(isodow(traded_at) as integer) as day_of_week,
    is_backfill,
    feed,
    frame_number,
from with_previous
