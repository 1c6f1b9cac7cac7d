"""What the command line shows of a warehouse. What venues wrote is text, whatever it holds."""

from datetime import datetime
from typing import Any

import duckdb
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from ingestion.console import folded_table
from ingestion.evaluation import Evaluation
from ingestion.simulator import TruePair

_MINUTES = """
select
    bars.symbol,
    strftime(bars.started_at, '%H:%M'),
    printf('%.2f', bars.open),
    printf('%.2f', bars.close),
    bars.trade_count::varchar,
    printf('%.3f', books.mean_spread_bps),
    printf('%+.2f', books.mean_imbalance_5),
    printf('%d %%', round(100 * books.valid_share)::int)
from gold.trade_bars as bars
inner join gold.order_book_bars as books
    using (exchange, symbol, duration_seconds, started_at)
where bars.duration_seconds = 60
qualify
    row_number() over (partition by bars.exchange, bars.symbol order by bars.started_at desc) <= 5
order by bars.exchange, bars.symbol, bars.started_at
"""
_TIERS = """
select
    relation,
    tier,
    rule_relation,
    case
        when judge_effect in ('confirmed', 'lowered', 'raised')
            then concat_ws(
                ', ', judge_effect || ': ' || verdict_relation, nullif(verdict_fungibility, 'clean')
            )
        when judge_effect = 'awaited' then 'awaited: ' || verdict_reason
        when tier = 'judged' then 'only noted: ' || verdict_relation
        else 'not asked: ' || verdict_reason
    end as judge,
    count(*),
from gold.market_similarities
group by all
order by rule_relation, count(*) desc, judge
"""
_OPPORTUNITIES = """
select
    opportunities.opportunity_id,
    opportunities.status,
    opportunities.profit_margin,
    opportunities.profit,
    opportunities.contracts,
    concat_ws(
        if(ends_with(bought.title, '?'), ' ', ', '),
        bought.title,
        case when not contains(lower(bought.title), lower(bought.subtitle)) then bought.subtitle end
    ),
    concat_ws(' ', opportunities.buy_outcome, 'on', opportunities.buy_platform),
    opportunities.buy_price,
    concat_ws(' ', opportunities.sell_outcome, 'on', opportunities.sell_platform),
    opportunities.sell_price,
    pairs.tier,
from gold.arbitrage_opportunities as opportunities
inner join gold.market_similarities as pairs using (pair_id)
inner join gold.markets as bought on opportunities.buy_market_id = bought.market_id
where opportunities.status != 'expired'
order by opportunities.status, opportunities.profit_margin desc, opportunities.opportunity_id
"""
_SETS = """
select
    count(*) filter (status = 'active'),
    count(*) filter (status = 'suspect'),
    max(profit) filter (status = 'active'),
from gold.bundle_opportunities
"""
# To the second: what is said is not older than that.
_VALIDITY = """
select
    count(*),
    count(*) filter (seconds > 0),
    min(seconds) filter (seconds > 0),
    max(seconds),
from (
    select date_diff('second', $now::timestamp, quotes_expire_at) as seconds
    from gold.arbitrage_opportunities
    where status = 'active'
    union all
    select date_diff('second', $now::timestamp, quotes_expire_at)
    from gold.bundle_opportunities
    where status = 'active'
)
"""
_SHOWN_ACTIVE = 20
_SHOWN_SUSPECT = 3


def plain(value: Any) -> Text:
    """A value as text that cannot style or steer the terminal."""
    text = "" if value is None else str(value)
    return Text("".join(letter if letter.isprintable() else " " for letter in text))


def paragraphs(value: Any) -> Text:
    """As `plain`, with its line breaks; a list with semicolons."""
    if isinstance(value, list):
        value = "; ".join(map(str, value))
    lines = "" if value is None else str(value)
    return Text("\n").join(plain(line) for line in lines.splitlines())


def show_funnel(console: Console, connection: duckdb.DuckDBPyConnection) -> None:
    """The matching funnel, stage by stage."""
    table = Table("stage", "what it means", title="Matching funnel", title_justify="left")
    table.add_column("pairs", justify="right")
    table.add_column("of all possible", justify="right")
    rows = connection.execute(
        "select stage, meaning, pairs, share_of_possible"
        " from gold.matching_funnel order by stage_number"
    ).fetchall()
    for stage, meaning, pairs, share in rows:
        shown = "" if share is None else f"{share:.6%}"
        table.add_row(plain(stage), plain(meaning), f"{pairs:,}", shown)
    console.print(table)


def show_tiers(console: Console, connection: duckdb.DuckDBPyConnection) -> None:
    """How the pairs were decided, what the judge did, and why it has not looked at others."""
    table = Table("relation", "tier", "by the rules", "the judge", title="Scored pairs")
    table.title_justify = "left"
    table.add_column("pairs", justify="right")
    for *names, count in connection.execute(_TIERS).fetchall():
        table.add_row(*map(plain, names), f"{count:,}")
    console.print(table)


def show_evaluation(console: Console, evaluation: Evaluation) -> None:
    """How good matching is by split and class, then each pair that is called something else."""
    for reason, count in evaluation.unanswered.items():
        console.print(f"{count:,} questions have no answer of the judge: {plain(reason)}.")
    splits = sorted({row["split"] for row in evaluation.quality})
    for split in splits:
        console.print(_quality_of(split, evaluation))
    if evaluation.unsure:
        console.print(f"{evaluation.unsure:,} labels are unsure: passed over.")
    for finding in evaluation.findings:
        title = f"{finding.finding}: {finding.label_id} ({finding.split})"
        shown = Table(title=plain(title), title_justify="left", show_header=False)
        shown.add_column(style="dim", no_wrap=True)
        shown.add_column(overflow="fold")
        for name, value in (
            ("Kalshi", finding.kalshi_title),
            ("Polymarket", finding.polymarket_title),
            ("is", f"{finding.relation}: {finding.note}" if finding.note else finding.relation),
            ("is called", finding.called or "nothing"),
            ("because", finding.why),
        ):
            shown.add_row(name, plain(value))
        console.print(shown)


def _quality_of(split: str, evaluation: Evaluation) -> Table:
    """One split as a table that fits a screen of 80 columns: all pairs, then each class."""
    title = f"Matching on labelled pairs: {split}"
    table = Table("class", title=plain(title), title_justify="left", box=SIMPLE_HEAD)
    for name in ("pairs", "same", "blocked", "no veto", "found", "clean", "right", "traps"):
        table.add_column(name, justify="right")
    rows = (row for row in evaluation.quality if row["split"] == split)
    for row in sorted(
        rows, key=lambda row: (row["contract_class"] != "all", row["contract_class"])
    ):
        table.add_row(
            plain(row["contract_class"]),
            f"{row['labelled_pairs']:,}",
            f"{row['same_pairs']:,}",
            *map(
                _share,
                (row["recall_after_blocking"], row["recall_after_vetoes"], row["equal_recall"]),
            ),
            f"{row['published_pairs']:,}",
            _share(row["published_precision"]),
            f"{row['trapped_pairs']:,}/{row['trap_pairs']:,}",
        )
        if row["contract_class"] == "all":
            absent, score = row["absent_pairs"], row["brier_score"]
            called, rightly = row["called_same_pairs"], row["same_pairs_found"]
            table.caption = f"{called:,} called the same, {rightly:,} of them rightly"
            if absent:
                table.caption += f"; {absent:,} pairs with a listing that is not there"
            if score is not None:
                table.caption += f"; Brier score {score:.3f}"
            table.caption_justify = "left"
    return table


def show_opportunities(console: Console, connection: duckdb.DuckDBPyConnection) -> None:
    """The active opportunities, the best margin first, then a few of the suspect ones."""
    rows = connection.execute(_OPPORTUNITIES).fetchall()
    active = [row for row in rows if row[1] == "active"]
    others = [row for row in rows if row[1] != "active"]
    shown = [*active[:_SHOWN_ACTIVE], *others[:_SHOWN_SUSPECT]]
    title = f"Opportunities: {len(active)} active, {len(others)} suspect"
    table = Table(title=title, title_justify="left", show_lines=True)
    table.add_column("id", no_wrap=True)
    table.add_column("status", no_wrap=True)
    table.add_column("margin", justify="right", no_wrap=True)
    table.add_column("profit", justify="right", no_wrap=True)
    table.add_column("on", justify="right", no_wrap=True)
    table.add_column("contract, and what to buy")
    for row in shown:
        (name, status, margin, profit, contracts, title, buy, buy_price, sell, sell_price, tier) = (
            row
        )
        legs = f"{buy} at {_cents(buy_price)}, {sell} at {_cents(sell_price)}"
        table.add_row(
            plain(name[:8]),
            Text("\n").join([plain(status), plain(tier)]),
            f"{margin:.2%}",
            f"${profit:,.2f}",
            f"{contracts:,}",
            Text("\n").join([plain(title), plain(legs)]),
        )
    console.print(table)
    if len(rows) > len(shown):
        console.print(f"{len(rows) - len(shown)} more in gold.arbitrage_opportunities")
    active_sets, suspect_sets, best = connection.execute(_SETS).fetchall()[0]
    earned = "" if best is None else f"; the best active one earns ${best:,.2f}"
    console.print(
        f"Sets, all Yes or all No of one event: {active_sets} active, {suspect_sets} suspect"
        f"{earned} (gold.bundle_opportunities).",
        highlight=False,
    )


def show_validity(console: Console, connection: duckdb.DuckDBPyConnection, now: datetime) -> None:
    """For how long what is active may still be traded; nothing where nothing is active."""
    count, live, first, last = connection.execute(_VALIDITY, {"now": now}).fetchall()[0]
    if not count:
        return
    if live:
        span = f"{last:.0f} s" if live == 1 else f"{first:.0f} to {last:.0f} s"
        text = (
            f"The quotes of {live} of the {count} active opportunities are valid for {span} more."
        )
    else:
        text = (
            f"The quotes of the {count} active opportunities have expired, the last {-last:.0f} s"
            " ago: they were fetched too long before the run ended."
        )
    console.print(f"{text} gold.live_opportunities() goes by the wall clock.", highlight=False)


def show_against_truth(
    console: Console, connection: duckdb.DuckDBPyConnection, truth: list[TruePair]
) -> None:
    """How what was found compares with what the simulator planted."""
    found: dict[str, set[str]] = {"active": set(), "suspect": set()}
    for status, pair_id in connection.execute(
        "select status, pair_id from gold.arbitrage_opportunities where status != 'expired'"
    ).fetchall():
        found[status].add(pair_id)
    planted = {
        f"kalshi:{pair.kalshi_ticker}|polymarket:{pair.polymarket_id}"
        for pair in truth
        if pair.lock_direction
    }
    active, suspect = found["active"], found["suspect"]
    console.print(
        f"Is that right? The simulator gave {len(planted)} of its pairs prices that lock a profit."
        f" Of the {len(active)} active pairs {len(active & planted)} are among these; of the"
        f" {len(suspect)} suspect ones, whose rules are to be read before anything is bought,"
        f" {len(suspect & planted)}. The other {len(planted - active - suspect)} are not shown: a"
        " pair whose texts leave a doubt is passed over in silence.",
        highlight=False,
    )


def _share(value: float | None) -> str:
    return "" if value is None else f"{value:.1%}"


def _cents(price: Any) -> str:
    return f"{float(price) * 100:.4g}¢"


def show_models(output: Console, models: list[str]) -> None:
    """The models that would be built, by layer."""
    table = folded_table("layer", "would build")
    for layer in ("bronze", "silver", "gold"):
        names = [model.removeprefix(f"{layer}.") for model in models if model.startswith(layer)]
        table.add_row(layer, ", ".join(names))
    output.print(table)


def show_order_books(output: Console, connection: duckdb.DuckDBPyConnection) -> None:
    """The last bars of trades and books of each market."""
    names = ("market", "UTC", "open", "close", "trades", "spread", "imbal.", "known")
    table = Table(*(Column(name, no_wrap=True) for name in names))
    table.title = "Minutes: spread in bps, imbalance of 5 levels, share of books known"
    for row in connection.execute(_MINUTES).fetchall():
        table.add_row(*(Text(value or "") for value in row))
    if not table.row_count:
        return
    output.print(table)
    counts = connection.execute(
        "select kind, count(*) from silver.sequence_gaps group by kind order by kind"
    ).fetchall()
    gaps = ", ".join(f"{count} {kind}" for kind, count in counts) or "none"
    output.print(f"Irregular frames: {gaps} (silver.sequence_gaps).", highlight=False)
