"""Labelled files, and matching measured on them."""

import json
import os
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from conftest import KEY, Answer
from judge_endpoint import ScriptedEndpoint, always, completion, judgement, sides
from rich.console import Console

from ingestion.errors import FileError, SettingsError
from ingestion.evaluation import Evaluation, evaluate
from ingestion.labels import read_labels
from ingestion.screens import show_evaluation

CAPTURED = datetime(2026, 10, 1, 12, tzinfo=UTC)
# Listings a and b say the same on both venues, c another amount; nothing of them is open any more.
AMOUNTS = {"a": ("Utopia", 7, 7), "b": ("Erewhon", 7, 7), "c": ("Laputa", 7, 8)}
KALSHI = [
    {
        "event_ticker": f"KXRAIN{name.upper()}-26",
        "title": f"Rain in {place} in 2026?",
        "category": "Climate and Weather",
        "markets": [
            {
                "ticker": f"KXRAIN{name.upper()}-26-T{amount}",
                "event_ticker": f"KXRAIN{name.upper()}-26",
                "market_type": "binary",
                "status": "finalized",
                "title": f"Will more than {amount} inches of rain fall in {place} before"
                " Jan 1, 2027?",
                "yes_sub_title": "Yes",
                "rules_primary": f"If more than {amount} inches of rain fall in {place} before"
                " Jan 1, 2027, then the market resolves to Yes.",
                "close_time": "2026-09-01T15:00:00Z",
            }
        ],
    }
    for name, (place, amount, _) in AMOUNTS.items()
]
POLYMARKET = [
    {
        "id": str(number),
        "title": f"Rain in {place} in 2026?",
        "slug": f"rain-{name}",
        "tags": [{"label": "Weather"}],
        "markets": [
            {
                "id": str(100 + number),
                "question": f"Will more than {amount} inches of rain fall in {place} by"
                " December 31, 2026?",
                "description": f'This market will resolve to "Yes" if more than {amount} inches of'
                f" rain fall in {place} by December 31, 2026, 11:59 PM ET. Otherwise, this market"
                ' will resolve to "No".',
                "outcomes": '["Yes", "No"]',
                "active": True,
                "closed": True,
                "endDate": "2026-09-01T00:00:00Z",
            }
        ],
    }
    for number, (name, (place, _, amount)) in enumerate(AMOUNTS.items())
]
LABELS: list[dict[str, Any]] = [
    {"kalshi_id": "KXRAINA-26-T7", "pm_id": "100", "label": "equivalent", "why": "the same rain"},
    {"kalshi_id": "KXRAINB-26-T7", "pm_id": "101", "label": "related_not_equivalent"},
    {"kalshi_id": "KXRAINC-26-T7", "pm_id": "102", "label": "equivalent"},
    {"kalshi_id": "KXRAINA-26-T7", "pm_id": "101", "label": "not_equivalent"},
    {"kalshi_id": "KXRAINA-26-T7", "pm_id": "999", "label": "equivalent"},
    {"kalshi_id": "KXRAINB-26-T7", "pm_id": "100", "label": "unsure"},
]
ASKED = 3
"""labelled pairs that a judge may be asked about: a and b, and c, whose amount implies the other"""


def measured(folder: Path, judged_open_pairs: int | None = None) -> Evaluation:
    """What is measured on the labels above, with files in this folder."""
    labels = folder / "labels.jsonl"
    labels.write_text("\n".join(map(json.dumps, LABELS)) + "\n", "utf-8")
    for name, events in (("one", KALSHI), ("two", POLYMARKET)):
        (folder / f"{name}.json").write_text(json.dumps({"events": events}), "utf-8")
    return evaluate(
        labels,
        [str(folder / "*.json")],
        run_id="r",
        captured_at=CAPTURED,
        judged_open_pairs=judged_open_pairs,
    )


def of_all(evaluation: Evaluation) -> dict[str, Any]:
    """The row for all pairs together, of labels of one split."""
    (row,) = (row for row in evaluation.quality if row["contract_class"] == "all")
    return row


@pytest.fixture(scope="module")
def evaluation(tmp_path_factory: pytest.TempPathFactory) -> Evaluation:
    """What is measured without a judge."""
    return measured(tmp_path_factory.mktemp("evaluation"))


@pytest.mark.slow
def test_matching_is_measured_on_a_given_file(evaluation: Evaluation) -> None:
    total = of_all(evaluation)
    assert evaluation.unsure == 1
    assert (total["labelled_pairs"], total["absent_pairs"], total["same_pairs"]) == (5, 1, 2)
    assert (total["recall_after_blocking"], total["recall_after_vetoes"]) == (1, 0.5)
    # a is rightly published, b is not what its label says, c has a veto.
    assert (total["published_pairs"], total["rightly_published_pairs"]) == (2, 1)
    assert (total["published_precision"], total["published_recall"]) == (0.5, 0.5)
    # Only the given labels are shown.
    assert {row["split"] for row in evaluation.quality} == {"given"}


@pytest.fixture
def judge_of_the_test(
    tmp_path: Path, endpoint: ScriptedEndpoint, monkeypatch: pytest.MonkeyPatch
) -> ScriptedEndpoint:
    """A key, prices, and a model on loopback."""
    ledger = tmp_path / "kept" / "judge.sqlite"
    ledger.parent.mkdir()
    judge = {
        "ENABLED": "true",
        "API_KEY": KEY,
        "BASE_URL": endpoint.url,
        "MODEL": "scripted",
        "USD_PER_MILLION_INPUT_TOKENS": "1",
        "USD_PER_MILLION_OUTPUT_TOKENS": "2",
        "LEDGER": str(ledger),
    }
    for name, value in judge.items():
        monkeypatch.setenv(f"MARKETFINDER_JUDGE_{name}", value)
    return endpoint


@pytest.mark.slow
def test_with_a_judge_it_is_the_judge_that_is_measured(
    tmp_path: Path, judge_of_the_test: ScriptedEndpoint
) -> None:
    """Here a judge that says of Erewhon what its label does. Its answers are kept for the next; it
    is asked about what is labelled, and no veto parts for sure."""
    endpoint = judge_of_the_test
    endpoint.script = lambda request, number: Answer(
        completion(
            judgement(request, "overlap" if "Erewhon" in json.dumps(sides(request)) else "equal")
        )
    )
    total = of_all(measured(tmp_path, 100))
    assert len(endpoint.requests) == ASKED
    again = of_all(measured(tmp_path, 100))

    assert (total["published_pairs"], total["rightly_published_pairs"]) == (1, 1)
    assert again == total
    assert len(endpoint.requests) == ASKED


@pytest.mark.slow
def test_of_our_labels_only_the_held_out_are_judged(
    judge_of_the_test: ScriptedEndpoint,
) -> None:
    judge_of_the_test.script = always("overlap")
    found = {
        row["split"]: row["same_pairs_found"]
        for row in evaluate(None, [], run_id="r", judged_open_pairs=5).quality
        if row["contract_class"] == "all"
    }

    assert judge_of_the_test.requests
    assert found["held_out"] == 0
    assert found["train"] > 1_000


@pytest.mark.slow
def test_what_has_no_answer_is_said(
    tmp_path: Path, judge_of_the_test: ScriptedEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MARKETFINDER_JUDGE_MAX_CALLS_PER_RUN", "1")
    judged = measured(tmp_path, 100)
    console = Console(file=StringIO(), width=100)
    show_evaluation(console, judged)

    assert judged.unanswered == {"over the budget of the run": ASKED - 1}
    assert "questions have no answer of the judge" in console.file.getvalue()  # type: ignore[attr-defined]


def test_a_batch_is_no_evaluation(
    judge_of_the_test: ScriptedEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MARKETFINDER_JUDGE_ASKS_IN", "batches")
    with pytest.raises(SettingsError, match="MARKETFINDER_JUDGE_ASKS_IN=calls"):
        evaluate(None, [], run_id="r", judged_open_pairs=10)


def test_a_judge_needs_a_key(clean_environment: None) -> None:
    with pytest.raises(SettingsError, match="MARKETFINDER_JUDGE_API_KEY"):
        evaluate(None, [], run_id="r", judged_open_pairs=10)


@pytest.mark.slow
def test_every_wrong_pair_is_listed_with_its_reason(evaluation: Evaluation) -> None:
    found = {(finding.finding, finding.label_id) for finding in evaluation.findings}
    assert found == {
        ("falsely the same", "kalshi:KXRAINB-26-T7|polymarket:101"),
        ("missed", "kalshi:KXRAINC-26-T7|polymarket:102"),
    }
    (missed,) = (finding for finding in evaluation.findings if finding.finding == "missed")
    assert missed.why == "veto: STRIKE"
    assert "7 inches of rain fall in Laputa" in missed.kalshi_title


@pytest.mark.slow
def test_an_evaluation_is_shown(evaluation: Evaluation) -> None:
    console = Console(width=200, record=True, file=open(os.devnull, "w"))  # noqa: SIM115
    show_evaluation(console, evaluation)
    text = console.export_text()
    assert "1 labels are unsure" in text
    assert "falsely the same: kalshi:KXRAINB-26-T7|polymarket:101 (given)" in text
    assert "50.0%" in text


def test_labels_of_a_table(tmp_path: Path) -> None:
    path = tmp_path / "labels.csv"
    path.write_text(
        "kalshi_market_id,polymarket_market_id,relation,orientation,fungibility,split\n"
        "KXA-1,7,equal,inverted,caveat,held_out\n"
        "kalshi:KXA-2,polymarket:8,k_implies_p,,,\n"
        "KXA-1,polymarket:7,equal,inverted,caveat,held_out\n",
        "utf-8",
    )
    labels = read_labels(path)
    assert [
        (row["kalshi_market_id"], row["polymarket_market_id"], row["relation"], row["split"])
        for row in labels.rows
    ] == [
        ("kalshi:KXA-1", "polymarket:7", "equal", "held_out"),
        ("kalshi:KXA-2", "polymarket:8", "k_implies_p", "given"),
    ]
    assert labels.rows[0]["orientation"] == "inverted"
    again = tmp_path / "again.csv"
    labels.write(again)
    assert read_labels(again) == labels


@pytest.mark.parametrize(
    ("name", "text", "problem"),
    [
        ("a.csv", "kalshi_market_id,relation\n", "no column polymarket_market_id"),
        ("a.csv", "kalshi_market_id,polymarket_market_id,relation\n", "holds no label"),
        ("a.csv", "kalshi_market_id,polymarket_market_id,relation\nA,1,same\n", "line 2: relation"),
        ("a.csv", "kalshi_market_id,polymarket_market_id,relation\nA,,equal\n", "line 2: poly"),
        (
            "a.csv",
            "kalshi_market_id,polymarket_market_id,relation\nA,1,equal\nA,1,overlap\n",
            "line 3: kalshi:A and polymarket:1 are 'overlap' here and 'equal' further up",
        ),
        ("a.jsonl", '{"kalshi_id": "A"}\n', "line 1: needs kalshi_id, pm_id and label"),
        ("a.jsonl", "\n{\n", "line 2: not JSON"),
        ("a.jsonl", b"\xff\xfe", "not a UTF-8 text file"),
        ("a.csv", None, "cannot be read: No such file"),
    ],
)
def test_a_bad_label_is_named(
    tmp_path: Path, name: str, text: str | bytes | None, problem: str
) -> None:
    path = tmp_path / name
    if text is not None:
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(FileError, match=problem.replace("(", r"\(")):
        read_labels(path)


def test_files_of_neither_venue_are_named(tmp_path: Path) -> None:
    labels, markets = tmp_path / "labels.jsonl", tmp_path / "markets.json"
    labels.write_text(json.dumps(LABELS[0]), "utf-8")
    markets.write_text('{"events": [{"name": "rain"}]}', "utf-8")
    with pytest.raises(FileError, match="no listings of Kalshi or Polymarket"):
        evaluate(labels, [str(markets)], run_id="r")
