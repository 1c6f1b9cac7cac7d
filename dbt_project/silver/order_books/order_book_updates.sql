{{ config(materialized="view") }}

-- Updates of books in the form of the replay: markers for snapshots, gaps and what was turned away.
with irregular as (
    select
        frame_number,
        stream,
        kind,
        ends_books,
        -- Not a time of another day than those chosen.
        if(kind = 'passed over', null, noticed_at) as noticed_at,
    from {{ ref("sequence_gaps") }}
),

updates as (
    select
        updates.frame_number,
        updates.update_number,
        segments.stream,
        updates.product_id,
        updates.side,
        updates.price_ticks,
        updates.size_lots,
        updates.sent_at,
        updates.is_snapshot,
        len(updates.rejections) > 0 as is_rejected,
        updates.update_number & 4294967295 = 1 as is_first,
    from {{ ref("coinbase_level2_updates") }} as updates
    inner join {{ ref("segments") }} as segments on updates.segment_number = segments.segment_number
    where
        updates.frame_number not in (
            select frame_number from irregular where kind in ('duplicate', 'late', 'late segment')
        )
),

changes as (
    select
        * exclude (is_snapshot, is_rejected, is_first),
        unnest(list_concat(
            if(is_first and is_snapshot and product_id is not null, ['snapshot'], []),
            case
                -- A gap alone has no row; the product's book has one that says so.
                when is_rejected and product_id is not null then ['gap', 'touch']
                when is_rejected then ['gap']
                when side is null then ['touch']
                else ['update']
            end
        )) as kind,
    from updates
    union all
    select
        frame_number,
        0 as update_number,
        stream,
        null as product_id,
        null as side,
        null as price_ticks,
        null as size_lots,
        noticed_at as sent_at,
        'gap' as kind,
    from irregular
    where ends_books
)

select * from changes
