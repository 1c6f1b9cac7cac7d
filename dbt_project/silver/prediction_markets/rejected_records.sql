with turned_away as (
    {% for table, platform, entity, key in [
        ("kalshi_series", "kalshi", "series", "series_ticker"),
        ("kalshi_events", "kalshi", "event", "event_ticker"),
        ("kalshi_markets", "kalshi", "market", "ticker"),
        ("kalshi_series_fee_changes", "kalshi", "series_fee_change", "change_id"),
        ("kalshi_event_fee_changes", "kalshi", "event_fee_change", "change_id"),
        ("polymarket_events", "polymarket", "event", "event_id"),
        ("polymarket_markets", "polymarket", "market", "polymarket_id"),
        ("kalshi_order_books", "kalshi", "order_book", "ticker"),
        ("polymarket_order_books", "polymarket", "order_book", "token_id"),
    ] -%}
    {{ "union all" if not loop.first }}
    select
        '{{ platform }}' as platform,
        '{{ entity }}' as entity,
        {{ key }} as external_id,
        source,
        record_number,
        unnest(rejections) as rejection,
        fetched_at,
        load_id,
    from {{ ref(table) }}
    where len(rejections) > 0
    {% endfor %}
),

rejected as (
    select
        platform || ':' || entity || ':' || record_number || ':' || rejection.field || ':' || rejection.reason
            as rejection_id,
        platform,
        entity,
        external_id,
        rejection.field as field,
        rejection.value as value,
        rejection.reason as reason,
        source,
        record_number,
        fetched_at as rejected_at,
        load_id,
    from turned_away
)

select * from rejected
