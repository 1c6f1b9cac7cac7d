{#- What the three kinds of bars share.

    Rows (trades, tickers, snapshots) are summed up once, to slices of the shortest duration, and the
    bars of every duration are put together from slices. A bar depends on its own rows only, and its
    figures on neither their order of landing nor the order of adding: sums are of whole numbers. So a row
    that lands late reopens the bars it lies in, which are computed again from all their rows, and an
    incremental run ends with what a full refresh would give. -#}

{#- Seconds, in ascending order: slices are of the first, and the last holds whole bars of all others. -#}
{% macro bar_durations() %}
    {%- if var("bar_durations_seconds") is string or var("bar_durations_seconds") is not iterable or not var("bar_durations_seconds") -%}
        {{ exceptions.raise_compiler_error(
            "bar_durations_seconds: " ~ var("bar_durations_seconds") ~ " is not a list of seconds, such as [60, 300]."
        ) }}
    {%- endif -%}
    {%- for seconds in var("bar_durations_seconds") if seconds is not integer or seconds < 1 -%}
        {{ exceptions.raise_compiler_error(
            "bar_durations_seconds: " ~ seconds ~ " is not a number of seconds, such as 60."
        ) }}
    {%- endfor -%}
    {%- set durations = var("bar_durations_seconds") | sort -%}
    {%- for seconds in durations if seconds % durations[0] != 0 or durations[-1] % seconds != 0 -%}
        {{ exceptions.raise_compiler_error(
            "bar_durations_seconds: " ~ seconds ~ " is not a multiple of " ~ durations[0] ~ " that divides "
            ~ durations[-1] ~ "; leave it out, or change the shortest or the longest duration."
        ) }}
    {%- endfor -%}
    {{ return(durations) }}
{% endmacro %}


{#- The start of the interval of so many seconds, counted from the epoch, that a time lies in. -#}
{% macro interval_start(at, seconds) -%}
    time_bucket(to_seconds({{ seconds }}), {{ at }}, timestamp '1970-01-01')
{%- endmacro %}


{#- Only what this run recomputes: the bars that hold a row above the highest number seen so far. -#}
{% macro is_above_held(number, last_number) -%}
    {%- if is_incremental() -%}
    {{ number }} > (select coalesce(max(held.{{ last_number }}), -1) from {{ this }} as held)
    {%- else -%}
    true
    {%- endif -%}
{%- endmacro %}


{#- Snapshots have a mark for each source: the two are filled apart from each other. A condition each, as DuckDB
    passes over the rest of a table unread by a bound, and not by one of two. -#}
{% macro is_new_book() -%}
    {{ return([
        "not is_late and source = 'replayed' and " ~ is_above_held("book_number", "last_replayed_book_number"),
        "not is_late and source = 'captured' and " ~ is_above_held("book_number", "last_captured_book_number"),
    ]) }}
{%- endmacro %}

{% macro is_new_bar_of_books() -%}
    {{ is_above_held("max(last_replayed_book_number)", "last_replayed_book_number") }}
        or {{ is_above_held("max(last_captured_book_number)", "last_captured_book_number") }}
        {% if is_incremental() -%}
        or (exchange, symbol, duration_seconds, started_at) in (
            select held.exchange, held.symbol, held.duration_seconds, held.started_at
            from {{ this }} as held
            where held.waiting_count > 0
        )
        {%- endif %}
{%- endmacro %}


{#- The bars of the shortest duration that hold books whose order flow was not known. -#}
{% macro waiting_bars() -%}
    (
            select exchange, symbol, started_at
            from {{ this }}
            where waiting_count > 0 and duration_seconds = {{ bar_durations()[0] }}
        )
{%- endmacro %}

{#- Of these, where order flow is known now. -#}
{% macro bars_to_fill(order_flow) -%}
    select distinct
        exchange,
        symbol,
        {{ interval_start("booked_at", bar_durations()[-1]) }} as span_at,
    from {{ order_flow }}
    where
        booked_at >= (select coalesce(min(waiting.started_at), 'infinity') from {{ waiting_bars() }} as waiting)
        and (exchange, symbol, {{ interval_start("booked_at", bar_durations()[0]) }}) in {{ waiting_bars() }}
{%- endmacro %}


{#- The rows of `table` with the slice they lie in; in an incremental run all rows of those spans (the
    longest duration) that have a new one, by any of the conditions, or are told of by the query `others`. The
    two bounds let DuckDB pass over the rest of the table unread. -#}
{% macro rows_to_slice(table, at, are_new, others="") -%}
    {%- set durations = bar_durations() -%}
    {%- if is_incremental() %}
    with touched_spans as materialized (
        {% for is_new in are_new -%}
        {{ "union" if not loop.first }}
        select distinct
            exchange,
            symbol,
            {{ interval_start(at, durations[-1]) }} as span_at,
        from {{ table }}
        where {{ is_new }}
        {% endfor -%}
        {% if others -%}
        union
        {{ others }}
        {% endif -%}
    )
    {% endif %}
    select
        observed.*,
        {{ interval_start("observed." ~ at, durations[0]) }} as slice_at,
    from {{ table }} as observed
    {% if is_incremental() -%}
    inner join touched_spans as touched
        on observed.exchange = touched.exchange
            and observed.symbol = touched.symbol
            and {{ interval_start("observed." ~ at, durations[-1]) }} = touched.span_at
    where
        observed.{{ at }} >= (select min(span_at) from touched_spans)
        and observed.{{ at }} < (select max(span_at) + to_seconds({{ durations[-1] }}) from touched_spans)
    {%- endif %}
{%- endmacro %}


{#- Slices (with open and close, which may be null) once for every duration, each with the square of
    the return from the slice before it in the same bar. -#}
{% macro slices_of_bars(slices) -%}
    select
        placed.*,
        durations.duration_seconds,
        {{ interval_start("placed.slice_at", "durations.duration_seconds") }} as started_at,
        started_at + to_seconds(durations.duration_seconds) as ended_at,
        case
            when placed.previous_slice_at >= started_at
                then {{ squared_return("placed.open", "placed.previous_close") }}
        end as squared_return_between,
    from (
        select
            *,
            lag(close ignore nulls) over in_time as previous_close,
            lag(if(close is null, null, slice_at) ignore nulls) over in_time as previous_slice_at,
        from {{ slices }}
        window in_time as (partition by exchange, symbol order by slice_at)
    ) as placed
    cross join (
        values {% for seconds in bar_durations() %}({{ seconds }}){{ ", " if not loop.last }}{% endfor %}
    ) as durations (duration_seconds)
{%- endmacro %}


{#- The bars without a row: after each bar of `bars` up to the next one that is not empty, with the
    `carried` columns of the bar before. In an incremental run `bars` are the reopened ones; those held
    around them tell where a gap ends, and the last one held where a new gap begins. -#}
{% macro empty_bars(bars, carried) -%}
    {%- set key = ["exchange", "symbol", "duration_seconds"] -%}
    with reach as (
        select
            {{ key | join(", ") }},
            min(started_at) as first_at,
        from {{ bars }}
        group by all
    ),

    {% if is_incremental() -%}
    held as (
        select
            held.*,
            max(held.started_at) over (partition by {{ "held." ~ key | join(", held.") }}) as last_held_at,
            reach.first_at,
        from {{ this }} as held
        inner join reach using ({{ key | join(", ") }})
        where not held.is_forward_filled
    ),
    {%- endif %}

    bars_around as (
        select
            {{ key | join(", ") }},
            started_at,
            {{ carried | join(", ") }},
            true as is_followed,
        from {{ bars }}
        {% if is_incremental() -%}
        union all
        select
            {{ key | join(", ") }},
            started_at,
            {{ carried | join(", ") }},
            started_at = last_held_at
        from held
        anti join {{ bars }} using ({{ key | join(", ") }}, started_at)
        where started_at >= least(first_at, last_held_at)
        {%- endif %}
    ),

    gaps as (
        select
            *,
            lead(started_at) over (partition by {{ key | join(", ") }} order by started_at) as next_at,
        from bars_around
    )

    select
        {{ key | join(", ") }},
        {{ carried | join(", ") }},
        unnest(range(
            started_at + to_seconds(duration_seconds),
            least(next_at, started_at + to_seconds(duration_seconds) + to_days({{ var("maximum_filled_days") }})),
            to_seconds(duration_seconds)
        )) as started_at,
    from gaps
    where is_followed and next_at > started_at + to_seconds(duration_seconds)
{%- endmacro %}


{% macro bar_id() -%}
    concat_ws(':', exchange, symbol, duration_seconds, cast(epoch(started_at) as bigint))
{%- endmacro %}


{#- Sums of doubles that are the same to the last bit in whatever order they come: of whole numbers of
    2^-64 (5e-20). Multiplying by a power of two rounds nothing. (Decimals would do, but turning one back
    into a double takes DuckDB a microsecond.) Here for values below 2^33, such as shares and basis
    points; beyond what a hugeint holds DuckDB stops with an error. -#}
{% macro exact(value) -%} cast({{ value }} * pow(2, 64) as hugeint) {%- endmacro %}
{% macro as_double(sum) -%} cast({{ sum }} as double) / pow(2, 64) {%- endmacro %}

{#- The same for values of any size: those of 2^33 (8.6e9) and more, or of minus that and less, are whole
    numbers of 2^-19. Sums to 9e18 and 3e32. -#}
{% macro exact_sum(value, condition="") -%}
    {%- set rows = " filter (" ~ condition ~ ")" if condition -%}
    struct_pack(
            small := sum(case when abs({{ value }}) < pow(2, 33) then {{ exact(value) }} end){{ rows }},
            large := sum(case when abs({{ value }}) >= pow(2, 33) then cast({{ value }} * pow(2, 19) as hugeint) end){{ rows }}
        )
{%- endmacro %}

{#- The sum of such sums as a double; 0 of none. -#}
{% macro exact_total(sums) -%}
    coalesce({{ as_double("sum(" ~ sums ~ ".small)") }}, 0)
        + coalesce(cast(sum({{ sums }}.large) as double) / pow(2, 19), 0)
{%- endmacro %}


{#- The logarithm of price / other; null unless both are above 0. -#}
{% macro log_ratio(price, other) -%}
    ln(case when {{ price }} > 0 and {{ other }} > 0 then {{ price }} / {{ other }} end)
{%- endmacro %}

{#- In whole numbers of 2^-96 (1e-29), to be summed. -#}
{% macro squared_return(price, previous_price) -%}
    cast(pow({{ log_ratio(price, previous_price) }}, 2) * pow(2, 96) as hugeint)
{%- endmacro %}

{#- Of the returns within slices and those between them; null when there is neither. -#}
{% macro realised_variance() -%}
    cast(sum(coalesce(
            squared_returns + squared_return_between, squared_returns, squared_return_between
        )) as double) / pow(2, 96)
{%- endmacro %}


{#- Variance from the range of a bar: Parkinson 1980, Garman and Klass 1980, Rogers and Satchell 1991. -#}
{% macro range_variances() -%}
    pow({{ log_ratio("high", "low") }}, 2) / (4 * ln(2)) as parkinson_variance,
        pow({{ log_ratio("high", "low") }}, 2) / 2
        - (2 * ln(2) - 1) * pow({{ log_ratio("close", "open") }}, 2) as garman_klass_variance,
        {{ log_ratio("high", "close") }} * {{ log_ratio("high", "open") }}
        + {{ log_ratio("low", "close") }} * {{ log_ratio("low", "open") }} as rogers_satchell_variance,
{%- endmacro %}
