{{ config(materialized="incremental", incremental_strategy="delete+insert", unique_key="market_id") }}

{{ latest_records_of(
    "market_id", "external_id",
    [("kalshi", "kalshi_markets", "ticker"), ("polymarket", "polymarket_markets", "polymarket_id")],
    "is_gone"
) }}
