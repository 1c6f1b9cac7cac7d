-- depends_on: {{ ref("trade_bars") }} (the macro gold.bars reads both)
{{ config(
    materialized="incremental",
    post_hook="{{ create_bars() }}",
    pre_hook=[
        "{{ keep_to_filters() }}",
        "{{ keep_to(['bar_durations_seconds', 'maximum_filled_days']) }}",
    ],
    incremental_strategy="delete+insert",
    unique_key=["exchange", "symbol", "duration_seconds", "started_at"],
) }}

with books as (
    {{ rows_to_slice(
        ref("order_book_features"), "booked_at", is_new_book(), bars_to_fill(ref("order_flow_features"))
    ) }}
),

snapshots as (
    select
        exchange,
        symbol,
        source,
        book_number,
        booked_at,
        is_valid,
        mid_price,
        spread_bps,
        imbalance_1,
        imbalance_5,
        slice_at,
    from books
    where not is_late
),

-- It follows on its book, at once or when the trades that came before the book are loaded.
order_flow as (
    select
        exchange,
        symbol,
        source,
        book_number,
        order_flow_imbalance,
    from {{ ref("order_flow_features") }}
    {% if is_incremental() -%}
    where
        booked_at >= (select min(booked_at) from snapshots)
        and booked_at <= (select max(booked_at) from snapshots)
    {%- endif %}
),

-- Ties in time by book number. A snapshot counts until the next one, valid or not.
ordered as (
    select
        snapshots.*,
        order_flow.order_flow_imbalance,
        order_flow.book_number is null as is_waiting,
        row_number() over booking as position,
        {{ squared_return("mid_price", "lag(mid_price ignore nulls) over booking") }} as squared_return,
        lead(booked_at) over booking is null as is_last,
        date_diff('microsecond', booked_at, lead(booked_at) over booking) as microseconds,
    from snapshots
    left join order_flow
        on snapshots.exchange = order_flow.exchange
            and snapshots.symbol = order_flow.symbol
            and snapshots.source = order_flow.source
            and snapshots.book_number = order_flow.book_number
    window booking as (
        partition by snapshots.slice_at, snapshots.exchange, snapshots.symbol
        order by snapshots.booked_at, snapshots.book_number
    )
),

slices as (
    select
        exchange,
        symbol,
        slice_at,
        arg_min(mid_price, position) as open,
        max(mid_price) as high,
        min(mid_price) as low,
        arg_max(mid_price, position) as close,
        min(spread_bps) as minimum_spread_bps,
        max(spread_bps) as maximum_spread_bps,
        sum({{ exact("spread_bps") }}) as spread_sum,
        count(spread_bps) as spread_count,
        {% for levels in [1, 5] -%}
        sum({{ exact("imbalance_" ~ levels) }}) as imbalance_{{ levels }}_sum,
        count(imbalance_{{ levels }}) as imbalance_{{ levels }}_count,
        sum({{ exact("imbalance_" ~ levels) }} * microseconds) as imbalance_{{ levels }}_weighted,
        sum(microseconds) filter (imbalance_{{ levels }} is not null) as imbalance_{{ levels }}_microseconds,
        max(imbalance_{{ levels }}) filter (is_last) as last_imbalance_{{ levels }},
        {% endfor -%}
        {{ exact_sum("order_flow_imbalance") }} as order_flow_sum,
        count(order_flow_imbalance) as order_flow_count,
        count(*) filter (is_waiting) as waiting_count,
        sum(squared_return) as squared_returns,
        count(*) as snapshot_count,
        count(*) filter (is_valid) as valid_count,
        max(book_number) filter (source = 'replayed') as last_replayed_book_number,
        max(book_number) filter (source = 'captured') as last_captured_book_number,
        min(booked_at) as first_booked_at,
        max(booked_at) as last_booked_at,
    from ordered
    group by all
),

followed as (
    select
        *,
        lead(first_booked_at) over (partition by exchange, symbol order by slice_at) as next_booked_at,
    from slices
),

-- The last snapshot of a slice counts until that of a later slice, or until the bar ends.
slices_of_bars as (
    select
        *,
        date_diff('microsecond', last_booked_at, least(next_booked_at, ended_at)) as last_microseconds,
    from ({{ slices_of_bars("followed") }})
),

reopened as (
    select
        exchange,
        symbol,
        duration_seconds,
        started_at,
        arg_min(open, slice_at) as open,
        max(high) as high,
        min(low) as low,
        arg_max(close, slice_at) as close,
        {{ as_double("sum(spread_sum)") }} / nullif(sum(spread_count), 0) as mean_spread_bps,
        min(minimum_spread_bps) as minimum_spread_bps,
        max(maximum_spread_bps) as maximum_spread_bps,
        {% for levels in [1, 5] -%}
        {{ as_double("sum(imbalance_" ~ levels ~ "_sum)") }} / nullif(sum(imbalance_{{ levels }}_count), 0)
            as mean_imbalance_{{ levels }},
        {% set last_weighted = exact("last_imbalance_" ~ levels) ~ " * last_microseconds" -%}
        {{ as_double("coalesce(sum(imbalance_" ~ levels ~ "_weighted), 0) + coalesce(sum(" ~ last_weighted ~ "), 0)") }}
        / nullif(
            coalesce(sum(imbalance_{{ levels }}_microseconds), 0)
            + coalesce(sum(last_microseconds) filter (last_imbalance_{{ levels }} is not null), 0), 0
        ) as mean_imbalance_{{ levels }}_by_time,
        {% endfor -%}
        case
            when sum(slices_of_bars.waiting_count) = 0 and sum(order_flow_count) > 0
                then {{ exact_total("order_flow_sum") }}
        end as order_flow_imbalance,
        cast(sum(slices_of_bars.waiting_count) as bigint) as waiting_count,
        {{ realised_variance() }} as realised_variance,
        cast(sum(snapshot_count) as bigint) as snapshot_count,
        sum(valid_count) / sum(snapshot_count) as valid_share,
        max(last_replayed_book_number) as last_replayed_book_number,
        max(last_captured_book_number) as last_captured_book_number,
    from slices_of_bars
    group by all
    having {{ is_new_bar_of_books() }}
),

empty as (
    {{ empty_bars("reopened", ["close"]) }}
),

filled as (
    select
        *,
        false as is_forward_filled,
    from reopened
    union all by name
    select
        *,
        close as open,
        close as high,
        close as low,
        0 as snapshot_count,
        0 as waiting_count,
        true as is_forward_filled,
    from empty
),

bars as (
    select
        {{ bar_id() }} as bar_id,
        exchange,
        symbol,
        duration_seconds,
        open,
        high,
        low,
        close,
        mean_spread_bps,
        minimum_spread_bps,
        maximum_spread_bps,
        mean_imbalance_1,
        mean_imbalance_1_by_time,
        mean_imbalance_5,
        mean_imbalance_5_by_time,
        order_flow_imbalance,
        realised_variance,
        {{ range_variances() }}
        snapshot_count,
        valid_share,
        waiting_count,
        last_replayed_book_number,
        last_captured_book_number,
        is_forward_filled,
        started_at,
        started_at + to_seconds(duration_seconds) as ended_at,
    from filled
)

select * from bars
order by exchange, symbol, duration_seconds, started_at
