"""What a pair is called, and why: both texts, what was read from them, vetoes, score, judge."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
from rich.console import Console
from rich.table import Column, Table

from ingestion.errors import WarehouseError
from ingestion.landing import naive_utc
from ingestion.screens import paragraphs, plain
from ingestion.venues import Clock, utc_now
from ingestion.warehouse import open_warehouse

_SIDES = """
select
    title, subtitle, event_title, resolution_source, description,
    array_to_string(list_transform(outcomes, lambda side: side.label), ' / ') as outcomes,
    array_to_string(ineligible_reasons, ', ') as not_matched_because,
from silver.markets where market_id = ?
"""
# The rules and the outcomes stand above already, as text; keys and hashes say nothing to people.
_TERMS = """
select * exclude (
    market_id, universe, platform, rules_words, ordered_words, outcome_labels, outcome_words,
    word_key, terms_hash
)
from silver.contract_terms
"""
_SCORE = """
select
    scores.score, scores.threshold, scores.contributions, features,
    case
        when ruled.tier = 'rules_only' and ruled.relation = 'equal' then 'rules'
        when ruled.tier = 'rules_only' and ruled.relation != 'unclear' then 'titles'
    end as decided_by,
from silver.pair_scores as scores
inner join silver.pair_features as features using (pair_id)
left join silver.ruled_pairs as ruled using (pair_id)
where pair_id = ?
"""
_VERDICT = """
select
    relation, orientation, fungibility, reason, claimed_relation, confidence,
    kalshi_yes_quote, kalshi_yes_meaning, polymarket_yes_quote, polymarket_yes_meaning,
    one_sided_world, array_to_string(text_flags, ', ') as texts_are_doubted_for,
    model, judged_at, usd,
from silver.pair_verdicts where pair_id = ?
"""
_DIFFERENCES = """
select
    difference.dimension, difference.kalshi_quote, difference.polymarket_quote,
    if(difference.can_split, 'yes', 'no'),
from (
    select unnest(differences) as difference from silver.pair_verdicts where pair_id = ?
)
"""
_DECISION = """
select
    relation, orientation, fungibility, tier, judge_effect, reasoning,
    nullif(rule_relation, relation) as rule_relation,
    nullif(rule_reasoning, reasoning) as rule_reasoning,
    case
        when
            pair_id not in (
                select pair_id from silver.ruled_pairs
                where tier = 'rules_only' and relation != 'unclear'
            )
            then round(score, 3)
    end as score,
    coalesce(
        (
            select outcomes[polymarket_outcome_index + 1].label
            from silver.markets where market_id = polymarket_market_id
        ),
        if(orientation = 'inverted', 'No', 'Yes')
    ) as polymarket_outcome,
from silver.market_pairs where pair_id = ?
"""
_VETOES = """
select veto_code, kalshi_value, polymarket_value
from silver.pair_vetoes where pair_id = ? order by veto_code
"""
# The one that comes closest to an opportunity.
_LOCK = """
select
    locks.is_priced,
    array_to_string(locks.blocked_reasons, '; ') as blocked_reasons,
    array_to_string(coalesce(found.status_reasons, locks.suspect_reasons), '; ') as suspect_reasons,
    found.profit_margin,
    found.quotes_expire_at,
from silver.locks
left join gold.arbitrage_opportunities as found
    on locks.lock_id = found.opportunity_id and found.status != 'expired'
where locks.pair_id = ?
order by found.profit_margin desc, locks.is_priced desc, len(locks.suspect_reasons), locks.direction
limit 1
"""
_RELATIONS = {
    "equal": "The same contract: Yes on Kalshi is {} on Polymarket",
    "k_implies_p": "Not the same, but Yes on Kalshi implies {} on Polymarket",
    "p_implies_k": "Not the same, but {} on Polymarket implies Yes on Kalshi",
    "mutually_exclusive": "Not the same: Yes on Kalshi and {} on Polymarket exclude each other",
    "complementary_partition": "Not the same: either Yes on Kalshi or {} on Polymarket comes true",
}
_CORRELATED = (
    "Not the same, for another index, station or clock decides, but Yes on Kalshi goes with {} on"
    " Polymarket"
)
_TIERS = {
    "rules_only": "by the rules, sentence by sentence",
    "scored": "by a score alone ({score:.3f})",
    "judged": "by the rules and a language model",
    "raised": "by a language model alone",
}


def explain_pair(
    console: Console, warehouse: Path, ticker: str, polymarket_id: str, *, clock: Clock = utc_now
) -> None:
    """Shows all that is known of a pair. Raises WarehouseError where a market is not there."""
    kalshi, polymarket = f"kalshi:{_bare(ticker)}", f"polymarket:{_bare(polymarket_id)}"
    with open_warehouse(warehouse, read_only=True) as connection:
        try:
            _explain(console, connection, kalshi, polymarket, naive_utc(clock()))
        except duckdb.CatalogException:
            raise WarehouseError(
                f"{warehouse} was not built: `marketfinder build prediction-markets` does it."
            ) from None


def _bare(market: str) -> str:
    return market.removeprefix("kalshi:").removeprefix("polymarket:")


def _explain(
    console: Console,
    connection: duckdb.DuckDBPyConnection,
    kalshi: str,
    polymarket: str,
    now: datetime,
) -> None:
    pair = f"{kalshi}|{polymarket}"
    texts = [_row(connection, _SIDES, market) for market in (kalshi, polymarket)]
    for market, text in zip((kalshi, polymarket), texts, strict=True):
        if text is None:
            hint = _hint(connection, market, kalshi, polymarket)
            raise WarehouseError(f"There is no market {market}. {hint}")
    decision = _row(connection, _DECISION, pair)
    found = connection.execute(
        "select blocking_rule from silver.candidate_pairs where pair_id = ?", [pair]
    ).fetchall()
    vetoes = connection.execute(_VETOES, [pair]).fetchall()
    if decision:
        verdict = f"{_relation(decision)}. {_publication(connection, pair, decision, now)}"
    elif vetoes:
        verdict = _refusal(vetoes)
    else:
        unmatched = [
            f"{market} is not matched ({text['not_matched_because']})"
            for market, text in zip((kalshi, polymarket), texts, strict=True)
            if text and text["not_matched_because"]
        ]
        why = "; ".join(unmatched) or "no blocking rule found this pair"
        verdict = f"Not known to be related: {why}."
    console.print(plain(verdict), style="bold")
    if decision:
        _show_fields(console, "What it is", decision)
    _show_sides(console, "What the venues say", texts)
    terms = [
        _row(connection, f"{_TERMS} where market_id = ?", market) for market in (kalshi, polymarket)
    ]
    _show_sides(console, "What was read from it (≠ where they differ)", terms, is_compared=True)

    if not found:
        console.print("No blocking rule found this pair: it was not compared any further.")
        return
    console.print(plain(f"Found by the blocking rule {found[0][0]}."))
    _show_rows(console, "Vetoes", ("veto", "Kalshi", "Polymarket"), vetoes)
    # A veto that explains itself leaves a relation, which the score decides.
    if not _show_score(console, connection, pair):
        console.print(
            "A pair with a veto that the rules are sure of is never equal, and the judge is not"
            " asked about it."
        )
        return
    judgement = _row(connection, _VERDICT, pair)
    if judgement:
        _show_fields(console, "What the judge says", judgement)
        differences = connection.execute(_DIFFERENCES, [pair]).fetchall()
        names = ("difference", "Kalshi", "Polymarket", "can split")
        _show_rows(console, "Differences it found", names, differences)
    else:
        console.print("The judge is not asked about this pair (var judged_open_pairs).")


def _hint(connection: duckdb.DuckDBPyConnection, absent: str, kalshi: str, polymarket: str) -> str:
    """What may have been meant by the id of a market that is not there."""
    swapped = [
        f"kalshi:{polymarket[len('polymarket:') :]}",
        f"polymarket:{kalshi[len('kalshi:') :]}",
    ]
    there = "select market_id from silver.markets where "
    if connection.execute(f"{there} list_contains(?, market_id)", [swapped]).fetchall():
        return "The ids are swapped: Kalshi's ticker comes first, Polymarket's number second."
    alike = connection.execute(f"{there} lower(market_id) = lower(?)", [absent]).fetchall()
    if alike:
        return f"There is {alike[0][0]}, written so."
    return "Its id is external_id in gold.markets."


def _relation(decision: dict[str, Any]) -> str:
    """What the two are to each other, and who says so."""
    is_correlated = decision["fungibility"] == "correlated"
    known = _CORRELATED if is_correlated else _RELATIONS.get(decision["relation"])
    if not known:
        first, *more = str(decision["reasoning"]).split("; ")
        return f"Not known to be related: {first}{_and_more(more)}"
    # Without a score only an equal pair is known by its rules; how far somebody comes titles say.
    is_by_titles = decision["tier"] == "rules_only" and decision["relation"] != "equal"
    says_so = "raised" if decision["judge_effect"] == "raised" else decision["tier"]
    tier = "by their titles" if is_by_titles else _TIERS[says_so].format(**decision)
    return f"{known.format(decision['polymarket_outcome'])}, {tier}"


def _publication(
    connection: duckdb.DuckDBPyConnection, pair: str, decision: dict[str, Any], now: datetime
) -> str:
    """What becomes of a lock of the pair, and why."""
    if decision["relation"] not in _RELATIONS or decision["fungibility"] == "correlated":
        return "It is never an opportunity."
    try:
        lock = _row(connection, _LOCK, pair)
    except duckdb.CatalogException:
        lock = None
    if not lock:
        return "It has no prices yet."
    if not lock["is_priced"]:
        return f"It cannot be priced: {lock['blocked_reasons']}."
    status = f"suspect: {lock['suspect_reasons']}" if lock["suspect_reasons"] else "active"
    if lock["profit_margin"] is None:
        return f"It does not pay now; an opportunity of it would be {status}."
    if lock["quotes_expire_at"] < now:
        return (
            f"It paid {lock['profit_margin']:.2%} at quotes that were not to be used after"
            f" {lock['quotes_expire_at']:%Y-%m-%d %H:%M:%S} UTC, and was {status}."
        )
    return f"It pays {lock['profit_margin']:.2%}, and is {status}."


def _refusal(vetoes: Sequence[Sequence[Any]]) -> str:
    (code, kalshi, polymarket), *more = vetoes
    return (
        f"Not the same contract: they differ in {code}, {kalshi or 'nothing'} on Kalshi and"
        f" {polymarket or 'nothing'} on Polymarket{_and_more(more)}. It is never an opportunity."
    )


def _and_more(more: Sequence[Any]) -> str:
    return f" (and {len(more)} more)" if more else ""


def _show_score(console: Console, connection: duckdb.DuckDBPyConnection, pair: str) -> bool:
    """What each feature contributes to the log-odds, weightiest first; False without a score."""
    found = _row(connection, _SCORE, pair)
    if not found:
        return False
    contributions, features = found["contributions"], found["features"]
    rows = [
        (name.replace("_", " "), _number(features.get(name)), f"{contribution:+.3f}")
        for name, contribution in sorted(contributions.items(), key=lambda item: -abs(item[1]))
        if contribution
    ]
    rows.append(("together", "", f"{sum(contributions.values()):+.3f}"))
    score, threshold, decider = found["score"], found["threshold"], found["decided_by"]
    title = f"What the score is made of: {score:.3f}"
    if decider:
        console.print(f"The score below is not asked: the {decider} decide.")
    else:
        title += f" (published from {threshold:.3f})"
    _show_rows(console, title, ("feature", "value", "log-odds"), rows)
    return True


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


def _row(connection: duckdb.DuckDBPyConnection, query: str, key: str) -> dict[str, Any] | None:
    answer = connection.execute(query, [key])
    names = [column[0] for column in answer.description or []]
    rows = answer.fetchall()
    return dict(zip(names, rows[0], strict=True)) if rows else None


def _show_sides(
    console: Console,
    title: str,
    sides: Sequence[dict[str, Any] | None],
    *,
    is_compared: bool = False,
) -> None:
    """Both sides beside each other, field by field, where they are compared those that differ
    first; fields that neither has, or both deny, are left out."""
    table = Table(title=title, title_justify="left", show_lines=True)
    table.add_column("")
    for venue in ("Kalshi", "Polymarket"):
        table.add_column(venue, overflow="fold", ratio=1)
    kalshi, polymarket = (side or {} for side in sides)
    rows = [(name, (kalshi.get(name), polymarket.get(name))) for name in {**kalshi, **polymarket}]
    if is_compared:
        rows.sort(key=lambda row: row[1][0] == row[1][1])
    for name, values in rows:
        if any(value is not False and value not in (None, "", []) for value in values):
            mark = " ≠" if is_compared and values[0] != values[1] else ""
            table.add_row(plain(name.replace("_", " ") + mark), *map(paragraphs, values))
    console.print(table)


def _show_fields(console: Console, title: str, fields: dict[str, Any]) -> None:
    table = Table(title=title, title_justify="left", show_header=False)
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in fields.items():
        if value not in (None, "", []):
            table.add_row(plain(name.replace("_", " ")), paragraphs(value))
    console.print(table)


def _show_rows(
    console: Console, title: str, names: Sequence[str], rows: Sequence[Sequence[Any]]
) -> None:
    if not rows:
        console.print(plain(f"{title}: none."))
        return
    columns = (Column(name, overflow="fold") for name in names)
    table = Table(*columns, title=title, title_justify="left")
    for row in rows:
        table.add_row(*map(paragraphs, row))
    console.print(table)
