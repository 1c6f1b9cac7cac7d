"""Why a pair is, or is not, the same contract, on what the demo leaves behind."""

from io import StringIO
from pathlib import Path

import pytest
from pipelines import ask
from rich.console import Console

from ingestion.errors import WarehouseError
from ingestion.explanations import explain_pair

PAIRS = {
    "the same word by word": (
        "select pair_id from silver.market_pairs where relation = 'equal' and tier != 'scored'",
        (
            "What the venues say",
            "What was read from it",
            "Found by the blocking rule",
            "What it is",
        ),
    ),
    "alike by the score": (
        "select pair_id from silver.market_pairs where relation = 'equal' and tier = 'scored'",
        ("What the score is made of", "polymarket heaviest untold", "together", "scored"),
    ),
    "another deadline": (
        "select pair_id from silver.related_pairs where veto_code = 'INSTANT'"
        " and pair_id not like 'labelled:%'",
        ("INSTANT", "What the score is made of"),
    ),
    "vetoed": (
        "select pair_id from silver.pair_vetoes where pair_id not like 'labelled:%'"
        " and pair_id not in (select pair_id from silver.related_pairs)",
        ("Vetoes", "the judge is not asked"),
    ),
    "never compared": (
        "select kalshi.market_id || '|' || polymarket.market_id as pair_id"
        " from silver.markets as kalshi, silver.markets as polymarket"
        " where kalshi.platform = 'kalshi' and polymarket.platform = 'polymarket'"
        " and pair_id not in (select pair_id from silver.candidate_pairs)",
        ("No blocking rule found this pair",),
    ),
}


@pytest.mark.parametrize("name", PAIRS)
def test_every_stage_is_shown(demo_build: Path, name: str) -> None:
    query, expected = PAIRS[name]
    ((pair,),) = ask(demo_build, f"{query} order by pair_id limit 1")
    kalshi, polymarket = pair.replace("kalshi:", "").replace("polymarket:", "").split("|")
    shown = StringIO()
    explain_pair(Console(file=shown, width=200), demo_build, kalshi, polymarket)
    for words in expected:
        assert words in shown.getvalue()


def test_an_unknown_market_is_an_error_in_words(demo_build: Path) -> None:
    with pytest.raises(WarehouseError, match="no market kalshi:NOSUCH"):
        explain_pair(Console(file=StringIO()), demo_build, "NOSUCH", "1")
