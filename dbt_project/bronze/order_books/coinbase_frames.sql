{{ config(materialized="view") }}

with frames as (
    select
        frames.frame_number,
        segments.stream,
        frames.segment_number,
        frames.line,
        frames.channel,
        frames.sequence_num,
        frames.sent_at,
    from {{ source("raw", "coinbase_frames") }} as frames
    inner join {{ source("raw", "segments") }} as segments
        on frames.segment_number = segments.segment_number
    where frames._dlt_load_id in (select load_id from {{ source("raw", "_dlt_loads") }} where status = 0)
)

select * from frames
