-- A view: nothing is stored twice, and a book is there before its order flow is known.
{{ config(materialized="view", alias="order_book_features") }}

{% set identity = [
    "exchange", "symbol", "source", "stream", "book_number", "booked_at", "is_valid", "is_snapshot", "is_late"
] %}
{% set wants_structural = "structural" in var("order_book_feature_groups") %}

select
    {% for name in identity -%}
    features.{{ name }},
    {% endfor -%}
    flow.book_number is null as awaits_order_flow,
    {% for level in range(var("order_book_shown_levels")) -%}
    {% for side in ["bid", "ask"] -%}
    books.{{ side }}s[{{ level + 1 }}].price as {{ side }}_price_{{ level }},
    books.{{ side }}s[{{ level + 1 }}].size as {{ side }}_size_{{ level }},
    {% endfor -%}
    {% endfor -%}
    if({{ wants_structural }}, columns(features.* exclude ({{ identity | join(", ") }})), null),
    flow.* exclude ({{ identity | join(", ") }}),
from {{ ref("order_book_features") }} as features
inner join {{ ref("order_books") }} as books
    on
        features.exchange = books.exchange
        and features.symbol = books.symbol
        and features.source = books.source
        and features.book_number = books.book_number
left join {{ ref("order_flow_features") }} as flow
    on
        features.exchange = flow.exchange
        and features.symbol = flow.symbol
        and features.source = flow.source
        and features.book_number = flow.book_number
