"""Why a pair is, or is not, the same contract, on what the demo leaves behind."""

import re
import shutil
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path

import pytest
from pipelines import ask
from rich.console import Console

from ingestion.errors import WarehouseError
from ingestion.explanations import explain_pair
from ingestion.warehouse import open_warehouse

# A pair, its first line, and what follows.
PAIRS = {
    "the same word by word": (
        "select pair_id from silver.market_pairs where relation = 'equal' and tier != 'scored'",
        "The same contract: Yes on Kalshi is Yes on Polymarket, by the rules, sentence by",
        (
            "What it is",
            "What the venues say",
            "What was read from it",
            "Found by the blocking rule",
            "The score below is not asked: the rules decide.",
            "What the judge says",
        ),
    ),
    "and it pays": (
        "select pair_id from gold.arbitrage_opportunities where status = 'active'",
        r"The same contract: .*\. It pays \d+\.\d\d%, and is active\.",
        ("What it is",),
    ),
    "alike by the score": (
        "select pair_id from silver.market_pairs"
        " where relation = 'equal' and tier = 'scored' and orientation = 'same'"
        " and fungibility = 'clean'",
        r"The same contract: Yes on Kalshi is Yes on Polymarket, by a score alone \(0\.\d{3}\)\. It"
        r" .* suspect: found by score only: read both rules\.",
        ("What it is", "What the score is made of", "polymarket heaviest untold", "together"),
    ),
    "the other way round": (
        "select pair_id from silver.market_pairs"
        " where relation = 'equal' and orientation = 'inverted' and fungibility = 'caveat'",
        "The same contract: Yes on Kalshi is No on Polymarket, by a score alone .* suspect: found"
        " by score only: read both rules; .",
        ("What it is",),
    ),
    "another station": (
        "select pair_id from silver.market_pairs where fungibility = 'correlated'",
        "Not the same, for another index, station or clock decides, but Yes .* It is never an"
        " opportunity",
        ("What it is", "STATION"),
    ),
    "without a price": (
        "select pair_id from silver.locks where kind = 'pair' group by pair_id"
        " having not bool_or(is_priced)",
        "It cannot be priced: (kalshi|polymarket): nothing on offer",
        ("What it is",),
    ),
    "another deadline": (
        "select pair_id from silver.related_pairs"
        " inner join silver.market_pairs using (pair_id)"
        " where veto_code = 'INSTANT' and market_pairs.relation = 'k_implies_p'",
        "Not the same, but Yes on Kalshi implies Yes on Polymarket, by a score alone",
        ("INSTANT", "What the score is made of"),
    ),
    "of which nothing is known": (
        "select pair_id from silver.market_pairs where relation = 'unclear'",
        r"Not known to be related: .* \(and \d+ more\)\. It is never an opportunity\.",
        ("What it is", "unclear"),
    ),
    "vetoed": (
        "select pair_id from silver.pair_vetoes where pair_id not like 'labelled:%'"
        " and pair_id not in (select pair_id from silver.related_pairs)",
        "Not the same contract: they differ in [A-Z_]+, .* on Kalshi and .* on Polymarket",
        ("What the venues say", "Vetoes", "the judge is not asked"),
    ),
    "never compared": (
        "select kalshi.market_id || '|' || polymarket.market_id as pair_id"
        " from silver.markets as kalshi, silver.markets as polymarket"
        " where kalshi.platform = 'kalshi' and polymarket.platform = 'polymarket'"
        " and kalshi.is_eligible and polymarket.is_eligible"
        " and pair_id not in (select pair_id from silver.candidate_pairs)",
        "Not known to be related: no blocking rule found this pair.",
        ("What the venues say", "No blocking rule found this pair"),
    ),
    "of what is over": (
        "select kalshi.market_id || '|' || polymarket.market_id as pair_id"
        " from silver.markets as kalshi, silver.markets as polymarket"
        " where kalshi.platform = 'kalshi' and polymarket.platform = 'polymarket'"
        " and kalshi.is_eligible and not polymarket.is_eligible",
        r"Not known to be related: polymarket:\d+ is not matched \(.+\)\.",
        ("not matched because",),
    ),
}


def priced(warehouse: Path) -> datetime:
    """When the prices were built."""
    ((moment,),) = ask(warehouse, "select max(detected_at) from gold.arbitrage_opportunities")
    assert isinstance(moment, datetime)
    return moment.replace(tzinfo=UTC)


@pytest.mark.parametrize("name", PAIRS)
def test_the_verdict_comes_first_and_then_every_stage(demo_build: Path, name: str) -> None:
    query, verdict, expected = PAIRS[name]
    ((pair,),) = ask(demo_build, f"{query} order by pair_id limit 1")
    kalshi, polymarket = pair.replace("kalshi:", "").replace("polymarket:", "").split("|")
    shown = StringIO()
    console = Console(file=shown, width=400)
    now = priced(demo_build)
    explain_pair(console, demo_build, kalshi, polymarket, clock=lambda: now)
    first, rest = shown.getvalue().split("\n", 1)
    assert re.search(verdict, first)
    places = [rest.find(words) for words in expected]
    assert -1 not in places
    assert places[0] == min(places)


def test_what_paid_at_quotes_that_are_over_does_not_pay(demo_build: Path) -> None:
    ((pair,),) = ask(demo_build, f"{PAIRS['and it pays'][0]} order by pair_id limit 1")
    shown = StringIO()
    later = priced(demo_build) + timedelta(days=3)
    explain_pair(Console(file=shown, width=400), demo_build, *pair.split("|"), clock=lambda: later)
    first = shown.getvalue().splitlines()[0]
    assert re.search(
        r"It paid \d+\.\d\d% at quotes that were not to be used after 20.* UTC, and was active\.$",
        first,
    )


def test_an_unknown_market_is_an_error_in_words(demo_build: Path) -> None:
    with pytest.raises(WarehouseError, match="no market kalshi:NOSUCH"):
        explain_pair(Console(file=StringIO()), demo_build, "NOSUCH", "1")


def test_what_differs_comes_first_and_no_hash(demo_build: Path) -> None:
    ((pair,),) = ask(demo_build, f"{PAIRS['alike by the score'][0]} order by pair_id limit 1")
    shown = StringIO()
    explain_pair(Console(file=shown, width=400), demo_build, *pair.split("|"))
    terms = shown.getvalue().split("What was read from it")[1].split("Found by the blocking")[0]
    names = [line.split("│")[1].strip() for line in terms.splitlines() if line.startswith("│")]
    differ = [name.endswith("≠") for name in names]
    assert differ == sorted(differ, reverse=True)
    assert any(differ)
    assert not [name for name in names if "hash" in name or "key" in name]
    assert not re.search(r"│ False +│ False", terms)


def test_ids_that_are_swapped_or_in_small_letters_have_a_hint(demo_build: Path) -> None:
    ((pair,),) = ask(demo_build, "select min(pair_id) from silver.market_pairs")
    kalshi, polymarket = pair.replace("kalshi:", "").replace("polymarket:", "").split("|")
    for given, hint in (
        ((polymarket, kalshi), "The ids are swapped: Kalshi's ticker comes first"),
        ((f"polymarket:{polymarket}", f"kalshi:{kalshi}"), "The ids are swapped"),
        ((kalshi.lower(), polymarket), f"There is kalshi:{kalshi}, written so"),
    ):
        with pytest.raises(WarehouseError, match=hint):
            explain_pair(Console(file=StringIO()), demo_build, *given)


def test_a_pair_is_explained_before_it_has_a_price(demo_build: Path, tmp_path: Path) -> None:
    """As after a first run whose order books did not come."""
    warehouse = tmp_path / "demo.duckdb"
    shutil.copyfile(demo_build, warehouse)
    ((pair,),) = ask(warehouse, f"{PAIRS['and it pays'][0]} order by pair_id limit 1")
    with open_warehouse(warehouse) as connection:
        connection.execute("drop table silver.locks")
    shown = StringIO()
    explain_pair(Console(file=shown, width=400), warehouse, *pair.split("|"))
    assert shown.getvalue().splitlines()[0].endswith("It has no prices yet.")


def test_a_score_that_is_not_asked_says_so(demo_build: Path, tmp_path: Path) -> None:
    """Of who wins and who reaches the final the titles tell, whatever the score is."""
    warehouse = tmp_path / "demo.duckdb"
    shutil.copyfile(demo_build, warehouse)
    ((pair,),) = ask(warehouse, f"{PAIRS['another deadline'][0]} order by pair_id limit 1")

    def shown() -> str:
        text = StringIO()
        explain_pair(Console(file=text, width=400), warehouse, *pair.split("|"))
        return text.getvalue()

    unasked = "The score below is not asked: the titles decide."
    assert unasked not in shown()
    assert re.search(r"score +│ 0\.\d+", shown())
    with open_warehouse(warehouse) as connection:
        # It was judged, too: who has the last word changes nothing of what was asked.
        connection.execute(
            "update silver.ruled_pairs set tier = 'rules_only' where pair_id = ?", [pair]
        )
        connection.execute(
            "update silver.market_pairs set tier = 'judged' where pair_id = ?", [pair]
        )
    assert unasked in shown()
    assert "(published from" not in shown()
    assert not re.search(r"score +│ 0\.\d+", shown())
