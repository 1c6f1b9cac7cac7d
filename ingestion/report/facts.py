"""What the report says, as rows of the warehouse; a table that is not built has none."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import duckdb

from ingestion.errors import WarehouseError

Row = dict[str, Any]

SHOWN_OPPORTUNITIES = 50
SHOWN_BUNDLES = 50
SHOWN_PAST = 200
SHOWN_RUNS = 200
_MOST_BARS = 150

OPPORTUNITIES = f"""
select * exclude (number)
from (
    select
        *,
        row_number() over (order by status, profit_margin desc, opportunity_id) as number,
        count(*) over (partition by status) as of_status
    from gold.arbitrage_opportunities
    where status != 'expired'
)
where number <= {SHOWN_OPPORTUNITIES}
order by number
"""
COUNTS = "select status, count(*) as count from gold.arbitrage_opportunities group by status"
PAIRS = """
select
    pair_id, orientation, tier, differences, one_sided_world,
    verdict_relation, verdict_fungibility, verdict_model
from gold.market_similarities
where list_contains($pairs, pair_id)
"""
MARKETS = """
select market_id, platform, external_id, title, subtitle, event_title, description, url
from gold.markets
where list_contains($markets, market_id)
"""
TERMS = """
unpivot (
    select
        market_id,
        cast(columns(lambda name: name not in (
            'market_id', 'platform', 'universe', 'words', 'ordered_words', 'rules_words',
            'word_key', 'terms_hash'
        )) as varchar),
    from silver.contract_terms
    where list_contains($markets, market_id)
)
on columns(* exclude (market_id)) into name name value value
"""
BUNDLES = f"""
select
    bundles.*,
    coalesce(markets.event_title, bundles.event_key) as title,
    markets.url,
from gold.bundle_opportunities as bundles
left join gold.markets as markets on bundles.legs[1].market_id = markets.market_id
where bundles.status != 'expired'
order by bundles.status, bundles.profit_margin desc, bundles.opportunity_id
limit {SHOWN_BUNDLES}
"""
FUNNEL = "from gold.matching_funnel order by stage_number"
# Of labelled pairs that nothing was tuned on.
QUALITY = """
select *
from gold.matching_quality
where universe = 'labelled' and split = 'held_out'
order by contract_class != 'all', contract_class
"""
RUNS = f"""
select * from (from gold.sync_logs order by finished_at desc limit {SHOWN_RUNS})
order by finished_at
"""
PAST = f"""
select
    history.*,
    coalesce(opportunities.status, history.last_status) as status,
    coalesce(markets.title, history.event_key, history.pair_id) as title,
from gold.arbitrage_history as history
left join gold.arbitrage_opportunities as opportunities using (opportunity_id)
left join gold.markets as markets on split_part(history.pair_id, '|', 1) = markets.market_id
order by history.last_seen_at desc, history.peak_margin desc, history.opportunity_id
limit {SHOWN_PAST}
"""
FRESHNESS = (
    """
    select platform as venue, 'listings' as what, max(last_seen_at) as newest_at
    from gold.markets
    group by platform
    """,
    """
    select platform as venue, 'order books of what is matched' as what, max(fetched_at) as newest_at
    from silver.outcome_books
    group by platform
    """,
    """
    select exchange as venue, 'books' as what, max(ended_at) as newest_at
    from gold.order_book_bars
    where not is_forward_filled
        and duration_seconds = (select min(duration_seconds) from gold.order_book_bars)
    group by exchange
    """,
    """
    select exchange as venue, 'trades' as what, max(ended_at) as newest_at
    from gold.trade_bars
    where not is_forward_filled
        and duration_seconds = (select min(duration_seconds) from gold.trade_bars)
    group by exchange
    """,
)
_DAYS = """
select exchange, symbol, cast(started_at as date) as day, sum(rows) as rows,
from (
    select exchange, symbol, started_at, trade_count as rows from gold.trade_bars
    where not is_forward_filled
        and duration_seconds = (select min(duration_seconds) from gold.trade_bars)
    union all
    select exchange, symbol, started_at, snapshot_count from gold.order_book_bars
    where not is_forward_filled
        and duration_seconds = (select min(duration_seconds) from gold.order_book_bars)
)
group by all
order by day desc, rows desc, exchange, symbol
"""
_DURATIONS = """
select duration_seconds as seconds, count(*) as bars
from gold.order_book_bars
where exchange = $exchange and symbol = $symbol and cast(started_at as date) = $day
group by duration_seconds
order by seconds
"""
_BARS = """
with flow as (
    select
        time_bucket(to_seconds($seconds), booked_at, timestamp '1970-01-01') as started_at,
        sum(order_flow_imbalance) as order_flow_imbalance,
        arg_max(vpin_aggressor, (booked_at, book_number)) as vpin_aggressor,
        arg_max(vpin_bulk, (booked_at, book_number)) as vpin_bulk,
    from gold.order_book_features
    where exchange = $exchange and symbol = $symbol
        and booked_at >= $day and booked_at < $day + interval 1 day
    group by 1
)

select *
from gold.bars($exchange, $symbol, $seconds)
left join flow using (started_at)
where started_at >= $day and started_at < $day + interval 1 day
order by started_at
"""


@dataclass(frozen=True)
class Day:
    """One market on one UTC day, in bars of so many seconds."""

    exchange: str
    symbol: str
    day: date
    seconds: int
    bars: list[Row]


def ask(
    connection: duckdb.DuckDBPyConnection, query: str, parameters: Mapping[str, Any] | None = None
) -> list[Row]:
    """The rows of a query; none where one of its tables is not there. Raises WarehouseError where
    one is of another version of this program."""
    try:
        answer = connection.execute(query, parameters or {})
    except duckdb.CatalogException:
        return []
    except duckdb.BinderException as error:
        raise WarehouseError(
            "There is no report of this warehouse: its tables are of another version"
            f" ({str(error).splitlines()[0]}). `marketfinder run` or `dbt build` makes them anew;"
            " of the demo's, `marketfinder demo`."
        ) from None
    names = [column[0] for column in answer.description or []]
    return [dict(zip(names, row, strict=True)) for row in answer.fetchall()]


def order_book_day(
    connection: duckdb.DuckDBPyConnection,
    exchange: str | None,
    symbol: str | None,
    day: date | None,
) -> Day | None:
    """The bars of the market and day that were asked for, by default the busiest of the newest day.

    Null when there are no bars at all. Raises WarehouseError when there are none of what was asked.
    """
    days = ask(connection, _DAYS)
    wanted = {"exchange": exchange, "symbol": symbol, "day": day}
    wanted = {name: value for name, value in wanted.items() if value is not None}
    found = [row for row in days if all(row[name] == value for name, value in wanted.items())]
    if not found and wanted:
        raise WarehouseError(
            f"There are no bars of {' '.join(map(str, wanted.values()))}. {_what_there_is(days)}"
        )
    if not found:
        return None
    chosen = {name: found[0][name] for name in ("exchange", "symbol", "day")}
    durations = ask(connection, _DURATIONS, chosen) or [{"seconds": 60, "bars": 0}]
    fitting = [row["seconds"] for row in durations if row["bars"] <= _MOST_BARS]
    seconds = fitting[0] if fitting else durations[-1]["seconds"]
    return Day(
        **chosen, seconds=seconds, bars=ask(connection, _BARS, {**chosen, "seconds": seconds})
    )


def _what_there_is(days: Sequence[Row]) -> str:
    if not days:
        return "There are no bars at all: `marketfinder build order-books` makes them."
    spans: dict[str, list[date]] = {}
    for row in days:
        spans.setdefault(f"{row['exchange']} {row['symbol']}", []).append(row["day"])
    lines = [f"  {name}, {min(of)} to {max(of)}" for name, of in sorted(spans.items())[:20]]
    return "There are:\n" + "\n".join(lines)
