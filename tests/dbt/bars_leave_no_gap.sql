-- A bar follows the one before at once, with its close if it is empty, unless the symbol was silent for
-- longer than is filled.
{% for kind in ["trade", "order_book", "ticker"] %}
{{ "union all" if not loop.first }}
select bar_id
from (
    select
        *,
        lag(close) over in_time as previous_close,
        lag(ended_at) over in_time as previous_end,
        max(if(is_forward_filled, null, started_at)) over (
            in_time rows between unbounded preceding and 1 preceding
        ) as filled_from,
    from {{ ref(kind ~ "_bars") }}
    window in_time as (partition by exchange, symbol, duration_seconds order by started_at)
)
where
    started_at < previous_end
    or (
        started_at > previous_end
        and (is_forward_filled or previous_end < filled_from + to_days({{ var("maximum_filled_days") }}))
    )
    or (is_forward_filled and (previous_end is null or close is distinct from previous_close))
{% endfor %}
