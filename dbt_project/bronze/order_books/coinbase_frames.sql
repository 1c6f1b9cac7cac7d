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
        -- Of the older feed, whose frames are about one product each.
        case
            when frames.channel in ('snapshot', 'l2update') then frames.payload ->> '$.product_id'
        end as product_id,
        {{ is_in_days("frames.sent_at") }} as is_in_days,
    from {{ source("raw", "coinbase_frames") }} as frames
    inner join {{ source("raw", "segments") }} as segments
        on frames.segment_number = segments.segment_number
    where frames._dlt_load_id in (select load_id from {{ source("raw", "_dlt_loads") }} where status = 0)
)

select * from frames
