"""The judge in real builds: who is asked, what becomes of the pairs, and what is paid for."""

import json
import os
import signal
import time
from collections import Counter
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from conftest import KEY, Answer
from judge_endpoint import ScriptedEndpoint, always, completion, judgement, sides
from judged_builds import FROM_QUESTIONS, JudgedBuild, shown_by
from look_alikes import PAIRS, build_warehouse, payloads
from pipelines import NOW, SOWN, ask, simulated, small_world, sweep
from rich.console import Console
from test_pair_judge_canaries import CANARIES

from ingestion.build import Half, build
from ingestion.screens import show_tiers
from ingestion.warehouse import open_warehouse
from python_models.kernels.pair_judge.prompt import SYSTEM_MESSAGE

LOWERED = "the wire is late, and one side has settled"


@pytest.fixture
def judged(look_alikes: Path, tmp_path: Path, endpoint: ScriptedEndpoint) -> JudgedBuild:
    """A warehouse of look-alikes, and a judge that finds every pair equal."""
    return JudgedBuild(tmp_path / "built", endpoint).copy_of(look_alikes)


def opinions(request: dict[str, Any], number: int) -> Answer:
    """Equal, but for what speaks of bitcoin."""
    is_lowered = "bitcoin" in json.dumps(sides(request)).lower()
    changes = {"one_sided_world": LOWERED} if is_lowered else {}
    return Answer(completion(judgement(request, "overlap" if is_lowered else "equal", **changes)))


def tiers(warehouse: Path) -> str:
    """The report of the tiers, as a person sees it."""
    console = Console(file=StringIO(), width=200)
    with open_warehouse(warehouse, read_only=True) as connection:
        show_tiers(console, connection)
    return str(console.file.getvalue())  # type: ignore[attr-defined]


def relations(warehouse: Path) -> list[tuple[Any, ...]]:
    """How many pairs are what, and what the judge did."""
    return ask(
        warehouse,
        "select rule_relation, relation, tier, judge_effect, count(*) from silver.market_pairs"
        " group by all order by all",
    )


def test_without_a_key_the_rules_decide(look_alikes: Path) -> None:
    assert not (look_alikes.parent / "judge.sqlite").exists()
    found = {row[:4] for row in relations(look_alikes)}
    assert {
        ("equal", "equal", "rules_only", "none"),
        ("equal", "equal", "scored", "none"),
        ("unclear", "unclear", "rules_only", "none"),
    } < found
    assert all(rule == relation and effect == "none" for rule, relation, _, effect in found)
    assert ask(look_alikes, "select count(*) from gold.llm_usage") == [(0,)]
    ((unevaluated, over_budget),) = ask(
        look_alikes,
        "select pairs_unevaluated, pairs_over_budget from gold.sync_logs order by finished_at desc"
        " limit 1",
    )
    assert (unevaluated, over_budget) == (
        ask(look_alikes, "select count(*) from silver.pair_questions")[0][0],
        0,
    )
    assert "rules_only" in tiers(look_alikes)
    assert "not asked: switched off" in tiers(look_alikes)


def test_a_build_asks_once_lowers_and_keeps(
    judged: JudgedBuild, endpoint: ScriptedEndpoint
) -> None:
    endpoint.script = opinions
    rules = Counter[str]()
    for rule, *_, pairs in relations(judged.warehouse):
        rules[rule] += pairs
    shown = judged.dbt("--debug", "build", *FROM_QUESTIONS, *SOWN)
    asked = len(endpoint.requests)
    first = ask(judged.warehouse, "from silver.pair_verdicts order by pair_id")

    assert asked == judged.count("select count(*) from silver.pair_questions")
    assert {message["messages"][0]["content"] for message in endpoint.requests} == {SYSTEM_MESSAGE}
    equal = "from silver.market_pairs where rule_relation = 'equal'"
    lowered = judged.count(f"select count(*) {equal} and judge_effect = 'lowered'")
    assert 0 < lowered < rules["equal"]
    after = relations(judged.warehouse)
    assert [row for row in after if row[0] == "equal"] == [
        ("equal", "equal", "judged", "confirmed", rules["equal"] - lowered),
        ("equal", "unclear", "judged", "lowered", lowered),
    ]
    # What it alone calls equal is a suspicion.
    assert {row[1:4] for row in after if row[0] == "unclear" and row[2] == "judged"} == {
        ("equal", "judged", "raised"),
        ("unclear", "judged", "none"),
    }
    raised = "from gold.market_similarities where judge_effect = 'raised'"
    assert ask(
        judged.warehouse, f"select distinct relation, fungibility, verdict_relation {raised}"
    ) == [("equal", "caveat", "equal")]
    # Whatever the rules found is confirmed or taken down; an implication of which they are not sure
    # may be the same after all.
    assert {
        (rule == "equal", relation == rule, effect)
        for rule, relation, _, effect, _ in after
        if rule != "unclear"
    } == {
        (True, True, "confirmed"),
        (True, False, "lowered"),
        (False, False, "lowered"),
        (False, False, "raised"),
    }
    # (One that is equal the other way round is taken down too.)
    reasons = (
        "select reasoning, one_sided_world from gold.market_similarities"
        " where judge_effect = 'lowered' and verdict_relation != 'equal'"
    )
    for reasoning, world in ask(judged.warehouse, reasons):
        assert world == LOWERED
        assert LOWERED in reasoning
    # Only these are priced. (No order book was fetched here, so that nothing is on offer.)
    priced = "from silver.pair_locks inner join gold.market_similarities using (pair_id)"
    assert ask(
        judged.warehouse,
        f"select distinct gold.market_similarities.tier, judge_effect {priced} order by all",
    ) == [("judged", "confirmed"), ("judged", "raised")]
    ((calls, hits, usd, latency),) = ask(
        judged.warehouse, "select calls, cache_hits, usd, mean_latency_seconds from gold.llm_usage"
    )
    assert (calls, hits) == (asked, 0)
    assert float(usd) == pytest.approx(asked * 0.0014)
    assert 0 < latency < 5

    judged.dbt("run", *FROM_QUESTIONS, "--full-refresh")
    assert len(endpoint.requests) == asked
    assert ask(judged.warehouse, "from silver.pair_verdicts order by pair_id") == first
    assert ask(judged.warehouse, "select calls, cache_hits from gold.llm_usage") == [(asked, asked)]

    assert KEY not in shown
    assert b"Bearer" not in judged.stored()
    assert KEY.encode() not in judged.stored()


@pytest.mark.slow
def test_a_lowered_pair_stays_down_when_the_key_is_gone(
    judged: JudgedBuild, endpoint: ScriptedEndpoint
) -> None:
    endpoint.script = opinions
    judged.dbt("run", *FROM_QUESTIONS)
    asked = len(endpoint.requests)
    before = relations(judged.warehouse)
    judged.dbt("run", *FROM_QUESTIONS, API_KEY="", MODEL="")

    assert relations(judged.warehouse) == before
    assert judged.count("select count(*) from silver.pair_verdicts where is_judge_on") == 0
    assert len(endpoint.requests) == asked


def faults(endpoint: ScriptedEndpoint) -> Iterator[str]:
    """Every fault of an endpoint, one a question; each question keeps its own."""
    names = [
        "429 with Retry-After",
        "429",
        "500",
        "500 for ever",
        "400 with the key",
        "hang",
        "truncated",
        "cut JSON",
        "refusal",
        "wrong schema",
        "false quote",
        "key in an answer",
        "fine",
    ]
    assigned: dict[str, str] = {}
    tries: dict[str, int] = {}

    def script(request: dict[str, Any], number: int) -> Answer | None:
        message = request["messages"][-1]["content"]
        name = assigned.setdefault(message, names[len(assigned) % len(names)])
        tries[message] = tries.get(message, 0) + 1
        is_first = tries[message] == 1
        error = {"error": {"message": f"Incorrect API key provided: {KEY}"}}
        good = judgement(request)
        match name:
            case "429 with Retry-After" if is_first:
                return Answer(error, status=429, headers={"Retry-After": "0.1"})
            case "429" if is_first:
                return Answer(error, status=429)
            case "500" if is_first:
                return Answer(error, status=500)
            case "500 for ever":
                return Answer(error, status=500)
            case "400 with the key":
                return Answer(error, status=400)
            case "hang":
                return None
            case "truncated":
                return Answer(completion(json.dumps(good)[:-20], finish_reason="length"))
            case "cut JSON":
                return Answer(completion(json.dumps(good)[:-20]))
            case "refusal":
                return Answer(completion("", refusal=f"No, {KEY}."))
            case "wrong schema":
                return Answer(completion({"verdict": "equal", "key": KEY}))
            case "false quote":
                quote = {"quote": "words that nobody wrote", "meaning": KEY}
                return Answer(completion({**good, "kalshi_yes": quote}))
            case "key in an answer":
                changed = judgement(request, "overlap", one_sided_world=f"the key is {KEY}")
                return Answer(completion(changed))
        return Answer(completion(good))

    endpoint.script = script
    yield from names


@pytest.mark.slow
def test_faults_are_never_equal_and_the_key_is_nowhere(
    judged: JudgedBuild, endpoint: ScriptedEndpoint
) -> None:
    names = list(faults(endpoint))
    bounded = {"TIMEOUT_SECONDS": "1", "ATTEMPTS": "3", "CALLS_IN_FLIGHT": "3"}
    few = ("--vars", '{"judged_open_pairs": 62}')
    shown = judged.dbt("--debug", "build", *FROM_QUESTIONS, *SOWN, *few, **bounded)
    reasons = "select reason, any_value(relation) from silver.pair_verdicts group by 1"
    found = dict(ask(judged.warehouse, reasons))

    assert len(names) == 13
    assert found == {
        "answered": found["answered"],
        "server error 500": "unevaluated",
        "turned away with 400": "unevaluated",
        "timeout": "unevaluated",
        "cut off at 1,000 tokens": "unevaluated",
        "unparsable": "unclear",
        "refused": "unclear",
        "a quote does not occur in the text": "unclear",
    }
    # Of 13 questions four are good in the end, and one of these is no equal.
    questions = judged.count("select count(*) from silver.pair_questions")
    equal = judged.count("select count(*) from silver.pair_verdicts where relation = 'equal'")
    assert equal <= 4 * (questions // 13 + 1)
    waiting = "select count(*) from silver.market_pairs where judge_effect = 'awaited'"
    assert judged.count(waiting) > 0
    worlds = "select distinct one_sided_world from silver.pair_verdicts where relation = 'overlap'"
    assert ask(judged.warehouse, worlds) == [("the key is [key]",)]
    assert KEY not in shown
    assert KEY.encode() not in judged.stored()


@pytest.mark.slow
def test_over_budget_is_counted_and_held_back(
    judged: JudgedBuild, endpoint: ScriptedEndpoint
) -> None:
    """The first questions are those that can become money; the next run goes on from there."""
    judged.changes = {"MAX_CALLS_PER_RUN": "5", "CALLS_IN_FLIGHT": "1"}
    rules = judged.count(
        "select count(*) from silver.ruled_pairs where relation = 'equal' and universe = 'live'"
    )
    questions = judged.count("select count(*) from silver.pair_questions")
    judged.dbt("build", *FROM_QUESTIONS, *SOWN)
    first = (
        "select pairs.judge_effect, count(*) from silver.market_pairs as pairs"
        " where rule_relation = 'equal' group by 1 order by 1"
    )

    assert ask(judged.warehouse, first) == [("awaited", rules - 5), ("confirmed", 5)]
    priced = "select count(distinct pair_id) from silver.pair_locks"
    assert judged.count(priced) == 5
    over = "select count(*) from silver.pair_verdicts where reason = 'over the budget of the run'"
    assert judged.count(over) == questions - 5
    judged.dbt("run", *FROM_QUESTIONS)
    assert ask(judged.warehouse, first) == [("awaited", rules - 10), ("confirmed", 10)]
    assert len(endpoint.requests) == 10


@pytest.mark.slow
def test_a_kill_loses_no_answer(judged: JudgedBuild, endpoint: ScriptedEndpoint) -> None:
    endpoint.latency_seconds = 0.05
    judged.changes = {"CALLS_IN_FLIGHT": "4"}
    questions = judged.count("select count(*) from silver.pair_questions")
    build_process = judged.start("run", *FROM_QUESTIONS)
    while len(endpoint.requests) < 60:
        assert build_process.poll() is None, build_process.communicate()
        time.sleep(0.005)
    os.killpg(build_process.pid, signal.SIGKILL)
    build_process.communicate()
    time.sleep(0.3)
    sent = len(endpoint.requests)
    judged.dbt("run", *FROM_QUESTIONS)
    asked = {json.dumps(request) for request in endpoint.requests}
    lost = "select count(*) from silver.pair_verdicts where reason = 'asked by another run'"

    # What was in flight waits for the end of its lease; nothing that was answered is asked again.
    assert 60 <= sent < questions
    assert len(asked) == len(endpoint.requests) == questions
    assert 0 <= judged.count(lost) <= 4


@pytest.mark.slow
def test_two_builds_at_once_buy_nothing_twice(
    judged: JudgedBuild, endpoint: ScriptedEndpoint, look_alikes: Path
) -> None:
    """Of two warehouses that share a ledger."""
    endpoint.latency_seconds = 0.2
    other = JudgedBuild(judged.folder.with_name("other"), endpoint).copy_of(look_alikes)
    other.changes = {"LEDGER": str(judged.ledger)}
    questions = judged.count("select count(*) from silver.pair_questions")
    builds = [each.start("run", *FROM_QUESTIONS) for each in (judged, other)]
    for process in builds:
        shown_by(process)
    calls = sum(each.count("select max(calls) from silver.judge_runs") for each in (judged, other))

    assert len({json.dumps(request) for request in endpoint.requests}) == questions
    assert len(endpoint.requests) == questions
    assert calls >= questions


@pytest.mark.slow
@pytest.mark.parametrize(
    "arguments",
    [
        ("run", "--empty", *FROM_QUESTIONS),
        ("run", "--empty", "--select", "pair_verdicts"),
        ("run", "--sample", "1 day", "--select", "pair_verdicts+"),
        ("compile",),
        ("parse", "--no-partial-parse"),
        ("ls", "--quiet"),
        ("docs", "generate"),
    ],
    ids=" ".join,
)
def test_what_builds_nothing_asks_nothing(
    arguments: tuple[str, ...], judged: JudgedBuild, endpoint: ScriptedEndpoint
) -> None:
    before = judged.count("select count(*) from silver.pair_questions")
    judged.dbt(*arguments)

    assert before > 0
    assert not endpoint.calls


@pytest.mark.slow
def test_batches(judged: JudgedBuild, endpoint: ScriptedEndpoint) -> None:
    """Build, submit, collect, build: as a person does it."""
    judged.changes = {"ASKS_IN": "batches"}
    questions = judged.count("select count(*) from silver.pair_questions")
    judged.dbt("run", *FROM_QUESTIONS)
    assert not endpoint.calls
    sent = judged.marketfinder("judge", "submit")
    again = judged.marketfinder("judge", "submit")
    early = judged.marketfinder("judge", "collect")
    endpoint.end_batch("batch_1")
    late = judged.marketfinder("judge", "collect")
    none = judged.marketfinder("judge", "collect")
    judged.dbt("run", *FROM_QUESTIONS)

    assert f"in_progress; {questions} questions" in sent.stdout, sent
    assert "Nothing to send" in again.stdout
    assert "in_progress" in early.stdout
    assert f"completed; {questions} questions, {questions} answered" in late.stdout
    assert "No batch is open" in none.stdout
    assert judged.count("select count(*) from silver.market_pairs where tier != 'judged'") == 0
    usage = "select calls, answers, batch_requests, cache_hits, usd from gold.llm_usage"
    ((calls, answers, requests, hits, usd),) = ask(judged.warehouse, usage)
    assert (calls, answers, requests, hits) == (questions, questions, questions, questions)
    assert float(usd) == pytest.approx(questions * 0.0007)
    assert not endpoint.requests
    off = judged.marketfinder("judge", "submit", ENABLED="false")
    assert (off.returncode, off.stderr.startswith("error: The judge is off")) == (2, True)


@pytest.mark.slow
def test_explain(judged: JudgedBuild, endpoint: ScriptedEndpoint) -> None:
    endpoint.script = opinions
    judged.dbt("run", *FROM_QUESTIONS)
    ((lowered,),) = ask(
        judged.warehouse,
        "select pair_id from silver.market_pairs"
        " where judge_effect = 'lowered' and verdict_relation != 'equal' limit 1",
    )
    kalshi, polymarket = lowered.replace("kalshi:", "").replace("polymarket:", "").split("|")
    done = judged.marketfinder("explain", kalshi, polymarket)
    assert done.returncode == 0, done.stderr
    for words in ("What the judge says", LOWERED, "kalshi yes quote", "lowered"):
        assert words in done.stdout


@pytest.mark.slow
def test_canaries_from_the_venues_to_gold(
    tmp_path: Path, seeds: Path, endpoint: ScriptedEndpoint
) -> None:
    """Texts that give orders, as a venue sends them, and a model that obeys."""
    endpoint.script = always(confidence=1.0)
    kalshi, polymarket = payloads()
    twin = next(pair["polymarket"]["id"] for pair in PAIRS if pair["same"])
    original = next(event for event in polymarket if event["markets"][0]["id"] == twin)
    for number, text in enumerate(CANARIES.values()):
        market = dict(original["markets"][0])
        market |= {"id": f"canary{number:04}", "description": f"{market['description']} {text}"}
        polymarket.append({**original, "id": f"event-{market['id']}", "markets": [market]})
    build_warehouse(tmp_path, seeds, kalshi, polymarket)
    judged = JudgedBuild(tmp_path, endpoint)
    judged.dbt("build", *FROM_QUESTIONS, *SOWN, "--vars", '{"judged_open_pairs": 1000}')
    told = ask(
        judged.warehouse,
        "select relation, claimed_relation, text_flags from silver.pair_verdicts"
        " where contains(pair_id, 'polymarket:canary')",
    )

    assert len(told) >= len(CANARIES)
    assert {relation for relation, _, _ in told} == {"unclear"}
    assert {claimed for _, claimed, _ in told} == {"equal"}
    assert all(flags for _, _, flags in told)
    assert {request["messages"][0]["content"] for request in endpoint.requests} == {SYSTEM_MESSAGE}
    canaried = "contains(pair_id, 'polymarket:canary')"
    assert judged.count(f"select count(*) from silver.pair_locks where {canaried}") == 0


@pytest.mark.slow
def test_marketfinder_build_says_the_tier_of_each_pair(
    tmp_path: Path, endpoint: ScriptedEndpoint
) -> None:
    warehouse = tmp_path / "warehouse.duckdb"
    with simulated(warehouse, small_world()) as (settings, _):
        sweep(settings, "one", NOW)
    build(warehouse, Half.PREDICTION_MARKETS)
    judged = JudgedBuild(tmp_path, endpoint)
    off = judged.marketfinder("build", "prediction-markets", ENABLED="false")
    on = judged.marketfinder("build", "prediction-markets")

    assert "rules_only" in off.stdout
    assert "not asked: switched off" in off.stdout
    assert "confirmed: equal" in on.stdout or "lowered" in on.stdout
