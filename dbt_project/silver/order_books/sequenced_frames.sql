{{ config(materialized="incremental", incremental_strategy="append") }}

-- The older feed has no numbers, so what is missing is told by the segments: one came after another
-- that follows on it (by name, and in time), or one between it and the one before could not be read.
with loaded as (
    select
        stream,
        segment_number,
        name,
        run_id,
        loaded_at,
        max(name) over earlier as name_before,
        coalesce(name < name_before and coalesce(first_at < max(last_at) over earlier, true), false) as is_late,
    from {{ ref("segments") }}
    where feed = 'coinbase' and segment_number is not null
    window earlier as (
        partition by stream order by segment_number rows between unbounded preceding and 1 preceding
    )
),

after_lost as (
    select distinct loaded.segment_number,
    from loaded
    inner join {{ ref("segments") }} as lost
        on loaded.stream = lost.stream and loaded.name_before < lost.name and loaded.name > lost.name
    where
        lost.segment_number is null
        and (lost.run_id = loaded.run_id or lost.loaded_at <= loaded.loaded_at)
),

-- What has come since the last build, and of each stream the frame at which it stood.
frames as (
    select
        frame_number,
        stream,
        channel,
        sequence_num,
        sent_at,
        true as is_new,
        case when channel is not null then sequence_num is not null end as is_numbered,
        sequence_num as recent_sequence_num,
        case when sequence_num = 0 then sent_at end as opened_at,
        0 as connection_number,
        sequence_num as last_sequence_num,
    from {{ ref("coinbase_frames") }}
    {% if is_incremental() -%}
    where frame_number > (select coalesce(max(frame_number), -1) from {{ this }})
    union all
    select
        frame_number,
        stream,
        channel,
        sequence_num,
        last_sent_at as sent_at,
        false as is_new,
        is_numbered,
        recent_sequence_num,
        opened_at,
        connection_number,
        last_sequence_num,
    from {{ this }}
    where frame_number in (select max(frame_number) from {{ this }} group by stream)
    {%- endif %}
),

-- What was known of the stream before each frame.
in_order as (
    select
        *,
        row_number() over so_far > 1 as has_previous,
        frame_number >> 36 as segment_number,
        lag(frame_number >> 36) over so_far as previous_segment_number,
        segment_number in (select loaded.segment_number from loaded where loaded.is_late) as is_late,
        last_value(is_numbered ignore nulls) over before as was_numbered,
        last_value(recent_sequence_num ignore nulls) over before as previous_sequence_num,
        max(sent_at) over before as previous_sent_at,
        max(opened_at) over before as previous_opened_at,
    from frames
    window
        so_far as (partition by stream order by frame_number),
        before as (
            partition by stream order by frame_number rows between unbounded preceding and 1 preceding
        )
),

-- A connection opens with sequence number 0, or, when its beginning was lost, with a number that
-- falls while time goes on; the older feed, which has no numbers, with its acknowledgement.
opened as (
    select
        *,
        is_new and coalesce(
            not has_previous
            or (sequence_num = 0 and (previous_opened_at is null or sent_at > previous_opened_at))
            or (sequence_num < previous_sequence_num and sent_at > previous_sent_at)
            or (sequence_num is null and channel = 'subscriptions' and not is_late),
            false
        ) as is_opening,
    from in_order
),

-- (A window over count(*) filter would take time with the square of the frames.)
in_connections as (
    select
        * replace (
            max(connection_number) over so_far + sum(if(is_opening, 1, 0)) over so_far as connection_number,
            last_value(is_numbered ignore nulls) over so_far as is_numbered,
            last_value(recent_sequence_num ignore nulls) over so_far as recent_sequence_num,
            max(opened_at) over so_far as opened_at
        ),
        max(sent_at) over so_far as last_sent_at,
    from opened
    window so_far as (partition by stream order by frame_number)
),

numbered as (
    select
        * replace (max(last_sequence_num) over so_far as last_sequence_num),
        max(last_sequence_num)
            over (so_far rows between unbounded preceding and 1 preceding) as sequence_before,
    from in_connections
    window so_far as (partition by stream, connection_number order by frame_number)
),

-- The same number sent at the same time came before: a line that was written twice.
repeated as (
    select distinct numbered.frame_number,
    from numbered
    inner join {{ ref("coinbase_frames") }} as earlier
        on numbered.stream = earlier.stream
            and numbered.sequence_num = earlier.sequence_num
            and numbered.sent_at = earlier.sent_at
            and numbered.frame_number > earlier.frame_number
    where numbered.is_new and numbered.sequence_num <= numbered.sequence_before
),

sequenced as (
    select
        frame_number,
        stream,
        cast(connection_number as integer) as connection_number,
        channel,
        sequence_num,
        sent_at,
        case
            when is_opening then if(has_previous, 'reconnect', 'first')
            when channel is null then if(was_numbered, 'set aside', 'unreadable')
            when sequence_num is null and is_late then 'late'
            when
                sequence_num is null
                and previous_segment_number != segment_number
                and segment_number in (select after_lost.segment_number from after_lost)
                then 'unreadable'
            when sequence_num is null then 'unnumbered'
            when sequence_before is null or sequence_num = sequence_before + 1 then 'next'
            when sequence_num > sequence_before then 'gap'
            when frame_number in (select frame_number from repeated) then 'duplicate'
            else 'late'
        end as status,
        sequence_before + 1 as expected_sequence_num,
        last_sequence_num,
        recent_sequence_num,
        last_sent_at,
        opened_at,
        is_numbered,
    from numbered
    where is_new
)

select * from sequenced
