{{ config(materialized="view") }}

with gaps as (
    select
        frame_number,
        stream,
        connection_number,
        channel,
        status as kind,
        sequence_num,
        if(status = 'gap', sequence_num - expected_sequence_num, null) as missing_frames,
        status in ('gap', 'reconnect', 'late', 'unreadable', 'passed over') as ends_books,
        coalesce(sent_at, last_sent_at) as noticed_at,
    from {{ ref("sequenced_frames") }}
    where status not in ('first', 'next', 'unnumbered')
)

select * from gaps
