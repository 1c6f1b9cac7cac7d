-- Open and close lie between low and high, VWAP too (but for its last digit); a bar starts at a multiple
-- of its duration, which is one of the var's; an empty bar is flat, counts nothing and says so.
{% for kind, rows in [("trade", "trade"), ("order_book", "snapshot"), ("ticker", "ticker")] %}
{{ "union all" if not loop.first }}
select bar_id
from {{ ref(kind ~ "_bars") }}
where
    not (low <= open and low <= close and open <= high and close <= high)
    or (open is null) != (close is null)
    or duration_seconds not in ({{ bar_durations() | join(", ") }})
    or epoch(started_at) % duration_seconds != 0
    or ended_at != started_at + to_seconds(duration_seconds)
    or is_forward_filled != ({{ rows }}_count = 0)
    {% set last_number = "last_" ~ kind ~ "_number" -%}
    {% set last_book_number = "coalesce(last_replayed_book_number, last_captured_book_number)" -%}
    or is_forward_filled != ({{ last_book_number if kind == "order_book" else last_number }} is null)
    or (is_forward_filled and (open is distinct from close or high is distinct from low))
    {% if kind == "trade" -%}
    or vwap not between low * (1 - 1e-12) and high * (1 + 1e-12)
    or buy_volume + sell_volume > volume * (1 + 1e-12)
    or (is_forward_filled and volume != 0)
    {%- endif %}
{% endfor %}
