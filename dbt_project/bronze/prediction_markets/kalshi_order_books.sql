with landed as (
    {{ new_landed_records("kalshi_order_books") }}
),

read_fields as (
    select
        landed.*,
        json_extract_string(payload, '$.ticker') as ticker,
        coalesce(json_extract(payload, '$.orderbook_fp'), json_extract(payload, '$.orderbook')) as book,
        json_extract(book, '$.yes_dollars') as yes_text,
        json_extract(book, '$.no_dollars') as no_text,
    from landed
),

typed as (
    select
        record_number,
        record_id,
        external_id as ticker,
        {{ as_levels("yes_text", "$[0]", "$[1]") }} as yes_bids,
        {{ as_levels("no_text", "$[0]", "$[1]") }} as no_bids,
        fetched_at,
        source,
        load_id,
        is_gone,
        {{ rejections([
            reject_missing_id("ticker", "read_fields.ticker"),
            reject_missing("orderbook_fp", "book"),
            reject_missing("yes_dollars", "coalesce(yes_text, no_text)"),
            reject_broken_levels("yes_dollars", "yes_text", "yes_bids"),
            reject_broken_levels("no_dollars", "no_text", "no_bids"),
        ]) }} as rejections,
    from read_fields
)

select * from typed
