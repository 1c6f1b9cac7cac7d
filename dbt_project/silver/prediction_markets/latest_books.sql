{{ config(materialized="incremental", incremental_strategy="delete+insert", unique_key="book_key") }}

{{ latest_records_of(
    "book_key", "book_id",
    [("kalshi", "kalshi_order_books", "ticker"), ("polymarket", "polymarket_order_books", "token_id")],
    "true"
) }}
