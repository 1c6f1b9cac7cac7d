{#- The settings of the replay behind it are kept here: a Python model with a pre-hook does not find its
    own new table. -#}
{{ config(
    materialized="incremental",
    incremental_strategy="append",
    pre_hook=[
        "{{ keep_to_filters() }}",
        "{{ keep_to(['order_book_depth', 'order_book_interval_ms', 'longest_silence_seconds']) }}",
    ],
) }}

-- The older feed has no numbers, so what is missing is told by the segments: one came after another
-- that follows on it (by name, and in time) or that it tells again (it begins no later), or one between
-- it and the one before could not be read.
with names as (
    select
        *,
        {{ sorted_name("name") }} as sorted_name,
    from {{ ref("segments") }}
    where feed = 'coinbase'
),

loaded as (
    select
        stream,
        segment_number,
        sorted_name,
        run_id,
        loaded_at,
        rows,
        loaded_at + interval 1 day as latest_possible,
        max(sorted_name) over earlier as name_before,
        max(last_at) over earlier as latest_before,
        coalesce(
            (sorted_name < name_before or first_at <= max(first_at) over earlier)
            and coalesce(first_at < latest_before, true),
            false
        ) as is_late,
        coalesce(is_late and last_at <= latest_before, false) as is_past,
    from names
    where segment_number is not null
    window earlier as (
        partition by stream order by segment_number rows between unbounded preceding and 1 preceding
    )
),

after_lost as (
    select distinct loaded.segment_number,
    from loaded
    inner join names as lost
        on
            loaded.stream = lost.stream
            and loaded.name_before < lost.sorted_name
            and loaded.sorted_name > lost.sorted_name
    where
        lost.segment_number is null
        and (lost.run_id = loaded.run_id or lost.loaded_at <= loaded.loaded_at)
),

{% if is_incremental() -%}
held_to as (
    select coalesce(max(held.frame_number), -1) as frame_number,
    from {{ this }} as held
),

new_segments as (
    select *,
    from loaded
    where segment_number >= (select frame_number >> 36 from held_to)
),

-- A stream stands at the last row of its last segment, a product of the older feed at its last row in that
-- connection. Both are found without reading the rows before.
last_segments as (
    select max(segment_number) as segment_number,
    from loaded
    where
        segment_number <= (select frame_number >> 36 from held_to)
        and rows > 0
        and stream in (select new_segments.stream from new_segments)
    group by stream
),

last_of_streams as (
    select
        held.stream,
        max(held.frame_number) as frame_number,
        arg_max(held.connection_number, held.frame_number) as connection_number,
    from {{ this }} as held
    where
        held.frame_number >= (select min(segment_number) << 36 from last_segments)
        and held.frame_number >> 36 in (select segment_number from last_segments)
    group by held.stream
),

last_frames as (
    select frame_number,
    from last_of_streams
    union
    select max(held.frame_number) as frame_number,
    from {{ this }} as held
    where
        held.product_id is not null
        and held.stream in (select stream from last_of_streams)
        and held.connection_number in (select connection_number from last_of_streams)
    group by held.stream, held.product_id
),
{%- endif %}

-- What has come since the last build, and the rows at which its streams and products stood.
frames as (
    select
        frames.frame_number,
        frames.stream,
        frames.product_id,
        frames.channel,
        frames.sequence_num,
        frames.sent_at,
        -- A time from after the loading says nothing, and would outshine all that come.
        case when frames.sent_at <= loaded.latest_possible then frames.sent_at end as known_at,
        known_at as product_sent_at,
        true as is_new,
        loaded.is_late,
        -- A segment from before what is known says nothing of where the stream stands.
        loaded.is_past,
        case when frames.channel is not null then frames.sequence_num is not null end as is_numbered,
        case when not loaded.is_past then frames.sequence_num end as recent_sequence_num,
        case when recent_sequence_num = 0 then known_at end as opened_at,
        cast(null as timestamp) as connected_at,
        0 as connection_number,
        recent_sequence_num as last_sequence_num,
        case
            when not loaded.is_past and frames.channel in ('l2_data', 'snapshot', 'l2update')
                then not frames.is_in_days
        end as is_passed_over,
    from {{ ref("coinbase_frames") }} as frames
    inner join {{ "new_segments" if is_incremental() else "loaded" }} as loaded
        on frames.segment_number = loaded.segment_number
    {% if is_incremental() -%}
    where
        {{ is_within_limit("frames.frame_number") }}
        and frames.frame_number > (select held_to.frame_number from held_to)
    union all
    select
        frame_number,
        stream,
        product_id,
        channel,
        sequence_num,
        sent_at,
        last_sent_at as known_at,
        product_last_sent_at as product_sent_at,
        false as is_new,
        false as is_late,
        false as is_past,
        is_numbered,
        recent_sequence_num,
        opened_at,
        connected_at,
        connection_number,
        last_sequence_num,
        is_passed_over,
    from {{ this }}
    where frame_number in (select last_frames.frame_number from last_frames)
    {%- else -%}
    where {{ is_within_limit("frames.frame_number") }}
    {%- endif %}
),

-- What was known of the stream before each frame.
in_order as (
    select
        *,
        row_number() over so_far > 1 as has_previous,
        frame_number >> 36 as segment_number,
        lag(frame_number >> 36) over so_far as previous_segment_number,
        last_value(is_numbered ignore nulls) over before as was_numbered,
        max(known_at) over before as previous_at,
        max(opened_at) over before as previous_opened_at,
        last_value(is_passed_over ignore nulls) over before as was_passed_over,
    from frames
    window
        so_far as (partition by stream order by frame_number),
        before as (
            partition by stream order by frame_number rows between unbounded preceding and 1 preceding
        )
),

-- The last number of a stream is that of the last frame that came in order of time.
in_time as (
    select
        * replace (if(known_at < previous_at, null, recent_sequence_num) as recent_sequence_num),
        last_value(if(known_at < previous_at, null, recent_sequence_num) ignore nulls) over (
            partition by stream order by frame_number rows between unbounded preceding and 1 preceding
        ) as previous_sequence_num,
    from in_order
),

-- A connection opens with sequence number 0, or, when its beginning was lost, with a number that
-- falls while time goes on, or any number after a silence that no connection outlives; the older feed,
-- which has no numbers, with its acknowledgement.
opened as (
    select
        *,
        is_new and not is_past and coalesce(
            not has_previous
            or (sequence_num = 0 and (previous_opened_at is null or known_at > previous_opened_at))
            or (sequence_num < previous_sequence_num and known_at > previous_at)
            or (
                sequence_num is not null
                and known_at > previous_at + to_seconds({{ var("longest_silence_seconds") }})
            )
            or (sequence_num is null and channel = 'subscriptions' and not is_late),
            false
        ) as is_opening,
    from in_time
),

-- (A window over count(*) filter would take time with the square of the frames.)
in_connections as (
    select
        * replace (
            max(connection_number) over so_far + sum(if(is_opening, 1, 0)) over so_far as connection_number,
            last_value(is_numbered ignore nulls) over so_far as is_numbered,
            last_value(recent_sequence_num ignore nulls) over so_far as recent_sequence_num,
            max(opened_at) over so_far as opened_at,
            max(if(is_opening, known_at, connected_at)) over so_far as connected_at,
            last_value(is_passed_over ignore nulls) over so_far as is_passed_over
        ),
        is_passed_over and not was_passed_over as is_turning_away,
        max(known_at) over so_far as last_sent_at,
        -- What was sent before its connection opened is of another one, and told again or too late.
        coalesce(
            is_new and sequence_num is not null and not is_opening
            and known_at < max(if(is_opening, known_at, connected_at)) over so_far,
            false
        ) as is_told_again,
    from opened
    window so_far as (partition by stream order by frame_number)
),

numbered as (
    select
        * replace (max(if(is_told_again, null, last_sequence_num)) over so_far as last_sequence_num),
        max(if(is_told_again, null, last_sequence_num))
            over (so_far rows between unbounded preceding and 1 preceding) as sequence_before,
        max(product_sent_at) over (of_product rows between unbounded preceding and 1 preceding)
            as previous_product_sent_at,
        max(product_sent_at) over of_product as product_last_sent_at,
    from in_connections
    window
        so_far as (partition by stream, connection_number order by frame_number),
        of_product as (partition by stream, connection_number, product_id order by frame_number)
),

-- The same number sent at the same time came before: a line that was written twice. (What is held is not
-- read again from raw: DuckDB would make one table of both readings, of all frames there are.)
told as (
    select
        frame_number,
        stream,
        sequence_num,
        sent_at,
    from numbered
    {% if is_incremental() -%}
    union all
    select
        frame_number,
        stream,
        sequence_num,
        sent_at,
    from {{ this }}
    {%- endif %}
),

repeated as (
    select distinct numbered.frame_number,
    from numbered
    inner join told as earlier
        on numbered.stream = earlier.stream
            and numbered.sequence_num = earlier.sequence_num
            and numbered.sent_at = earlier.sent_at
            and numbered.frame_number > earlier.frame_number
    where
        numbered.is_new
        and (numbered.sequence_num <= numbered.sequence_before or numbered.is_past or numbered.is_told_again)
),

sequenced as (
    select
        frame_number,
        stream,
        cast(connection_number as integer) as connection_number,
        product_id,
        channel,
        sequence_num,
        sent_at,
        case
            when is_opening then if(has_previous, 'reconnect', 'first')
            when channel is null then if(was_numbered, 'set aside', 'unreadable')
            when sequence_num is null and is_late and not coalesce(was_numbered, false) then 'late'
            when
                sequence_num is null
                and previous_segment_number != segment_number
                and segment_number in (select after_lost.segment_number from after_lost)
                then 'unreadable'
            when frame_number in (select frame_number from repeated) then 'duplicate'
            when is_past then 'late segment'
            when is_told_again then 'late'
            when sequence_num > sequence_before + 1 then 'gap'
            when sequence_num <= sequence_before then 'late'
            when is_turning_away then 'passed over'
            when sequence_num is not null then 'next'
            when channel = 'l2update' and known_at < previous_product_sent_at then 'late'
            else 'unnumbered'
        end as status,
        sequence_before + 1 as expected_sequence_num,
        last_sequence_num,
        recent_sequence_num,
        last_sent_at,
        product_last_sent_at,
        opened_at,
        connected_at,
        is_numbered,
        is_passed_over,
    from numbered
    where is_new
)

select * from sequenced
