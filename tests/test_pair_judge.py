"""The judge of pairs: what it asks, what it believes, what it pays, and what it keeps."""

import asyncio
import json
import logging
import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
import traceback
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from email.utils import format_datetime
from functools import partial
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from conftest import KEY, Answer
from judge_endpoint import ScriptedEndpoint, always, completion, judgement
from judge_runs import changed, judged, pair, pairs, relations, spent_today
from pydantic import SecretStr

from ingestion.errors import FileError, SettingsError
from python_models.kernels.pair_judge import texts
from python_models.kernels.pair_judge.calls import retry_after
from python_models.kernels.pair_judge.judge import judge_pairs_async, questions
from python_models.kernels.pair_judge.ledger import Refusal, VerdictLedger, Wish
from python_models.kernels.pair_judge.prompt import cache_key
from python_models.kernels.pair_judge.schema import (
    OUTCOMES_SCHEMA,
)
from python_models.kernels.pair_judge.settings import JudgeSettings, load_judge_settings
from python_models.kernels.pair_judge.texts import PAIRS_SCHEMA


class TestAsking:
    """From pairs to rows."""

    def test_an_answer_becomes_a_row(self, judge_settings: JudgeSettings) -> None:
        run = judged(pairs(count=1), judge_settings)

        assert run.outcomes.schema == OUTCOMES_SCHEMA
        (row,) = run.outcomes.to_pylist()
        assert (row["relation"], row["orientation"], row["confidence"]) == ("equal", "same", 0.9)
        assert row["kalshi_yes_quote"] == "If Acme reports 0 sales before Jan 1, 2027, then Yes."
        assert (row["input_tokens"], row["output_tokens"]) == (1_000, 200)
        assert row["usd"] == run.usd == Decimal("0.0014")
        assert (row["pair_id"], row["reason"], row["is_judge_on"]) == ("pair-0", "answered", True)
        assert json.loads(row["kalshi_text"])["event_title"] == "Acme in 2027"

    def test_rows_go_into_duckdb_and_come_back(self, judge_settings: JudgeSettings) -> None:
        outcomes = judged(pairs(count=3), judge_settings).outcomes
        with duckdb.connect() as connection:
            connection.execute("create table judged as select * from outcomes")
            back = connection.sql("select * from judged").to_arrow_table()

        assert back.to_pylist() == outcomes.to_pylist()

    def test_the_request(self, judge_settings: JudgeSettings, endpoint: ScriptedEndpoint) -> None:
        judged(pairs(count=2), judge_settings)

        first, second = endpoint.requests
        assert [message["role"] for message in first["messages"]] == ["system", "user"]
        assert first["messages"][0] == second["messages"][0]
        assert set(json.loads(first["messages"][1]["content"])) == {"kalshi", "polymarket"}
        assert first["response_format"]["json_schema"]["strict"] is True
        assert first["max_completion_tokens"] == 1_000
        assert "tools" not in first

    @pytest.mark.parametrize("form", ["json_object", "none"])
    def test_endpoints_without_schemas(
        self, judge_settings: JudgeSettings, endpoint: ScriptedEndpoint, form: str
    ) -> None:
        endpoint.script = lambda request, number: Answer(
            completion(f"```json\n{json.dumps(judgement(request))}\n```")
        )
        run = judged(pairs(count=1), changed(judge_settings, response_format=form))

        assert relations(run) == ["equal"]
        wanted = {"type": "json_object"} if form == "json_object" else None
        assert endpoint.requests[0].get("response_format") == wanted

    def test_the_schema_is_strict(self) -> None:
        """As OpenAI's strict mode wants it: all fields required, no others."""
        from openai.lib._pydantic import to_strict_json_schema

        from python_models.kernels.pair_judge.schema import JSON_SCHEMA, Judgement

        assert to_strict_json_schema(Judgement) == JSON_SCHEMA

    def test_without_a_key_nothing_is_sent(
        self, judge_settings: JudgeSettings, endpoint: ScriptedEndpoint
    ) -> None:
        run = judged(pairs(count=3), changed(judge_settings, api_key=SecretStr("")))

        assert relations(run) == ["unevaluated"] * 3
        assert run.unevaluated == {"no key": 3}
        assert not endpoint.calls

    def test_no_pairs(self, judge_settings: JudgeSettings, endpoint: ScriptedEndpoint) -> None:
        run = judged(pairs(count=0), judge_settings)

        assert (run.outcomes.schema, run.outcomes.num_rows) == (OUTCOMES_SCHEMA, 0)
        assert not endpoint.calls


def _answered(relation: str, request: dict[str, Any], **changes: object) -> dict[str, Any]:
    return completion(judgement(request, relation, **changes))


ANSWERS: dict[str, tuple[Callable[[dict[str, Any]], dict[str, Any]], str, str]] = {
    "refusal": (lambda r: completion("", refusal="I cannot help."), "unclear", "refused"),
    "content filter": (
        lambda r: completion(judgement(r), finish_reason="content_filter"),
        "unclear",
        "refused",
    ),
    "cut JSON": (lambda r: completion(json.dumps(judgement(r))[:-20]), "unclear", "unparsable"),
    "no JSON": (lambda r: completion("They are equal."), "unclear", "unparsable"),
    "empty": (lambda r: completion(""), "unclear", "unparsable"),
    "deep": (lambda r: completion("[" * 100_000), "unclear", "unparsable"),
    "another schema": (lambda r: completion({"verdict": "equal"}), "unclear", "unparsable"),
    "a field more": (lambda r: completion(judgement(r, note="hi")), "unclear", "unparsable"),
    "another relation": (lambda r: completion(judgement(r, "identical")), "unclear", "unparsable"),
    "confidence above 1": (
        lambda r: completion(judgement(r, confidence=1.1)),
        "unclear",
        "unparsable",
    ),
    "a text for a boolean": (
        lambda r: completion(judgement(r, differences=[_difference(can_split="false")])),
        "unclear",
        "unparsable",
    ),
    "a tool call": (
        lambda r: completion(judgement(r), finish_reason="tool_calls"),
        "unclear",
        "unparsable",
    ),
    "clean with a one-sided world": (
        lambda r: completion(judgement(r, one_sided_world="it is a tie")),
        "unclear",
        "clean with a world in which one side pays",
    ),
    "clean with a split": (
        lambda r: completion(judgement(r, differences=[_difference(can_split=True)])),
        "unclear",
        "clean with a difference that can split",
    ),
    "a caveat that nothing shows": (
        lambda r: completion(judgement(r, fungibility="caveat", one_sided_world=" ")),
        "unclear",
        "a caveat without a world that shows it",
    ),
    "equal, and nothing on what splits": (
        lambda r: completion(judgement(r, fungibility=None)),
        "unclear",
        "equal without a fungibility",
    ),
    "equal with no orientation": (
        lambda r: completion(judgement(r, orientation=None)),
        "unclear",
        "equal without an orientation",
    ),
    "equal without a quote": (
        lambda r: completion(judgement(r, kalshi_yes={"quote": " ", "meaning": "x"})),
        "unclear",
        "equal without the words of both sides",
    ),
    "equal with a letter as a quote": (
        lambda r: completion(judgement(r, kalshi_yes={"quote": "A", "meaning": "x"})),
        "unclear",
        "equal without the words of both sides",
    ),
    "a quote that does not occur": (
        lambda r: completion(judgement(r, kalshi_yes={"quote": "If Bcme reports", "meaning": "x"})),
        "unclear",
        "a quote does not occur in the text",
    ),
    "a quote of the other side": (
        lambda r: completion(judgement(r, kalshi_yes=judgement(r)["polymarket_yes"])),
        "unclear",
        "a quote does not occur in the text",
    ),
    "a quote in a difference that does not occur": (
        lambda r: completion(
            judgement(r, "overlap", differences=[_difference(kalshi_quote="nowhere")])
        ),
        "unclear",
        "a quote does not occur in the text",
    ),
    "an implication without a world": (
        lambda r: completion(judgement(r, "k_implies_p", one_sided_world=None)),
        "unclear",
        "differs without a world that shows it",
    ),
    **{
        f"{relation} the other way round": (
            partial(_answered, relation, orientation="inverted"),
            "unclear",
            "an implication of yes and no",
        )
        for relation in ("k_implies_p", "p_implies_k")
    },
    **{
        f"{relation} the other way round": (
            partial(_answered, relation, orientation="inverted"),
            relation,
            "answered",
        )
        for relation in ("mutually_exclusive", "complementary_partition")
    },
    "an implication": (
        lambda r: completion(judgement(r, "k_implies_p")),
        "k_implies_p",
        "answered",
    ),
    "an exclusion without an orientation": (
        lambda r: completion(judgement(r, "mutually_exclusive", orientation=None)),
        "mutually_exclusive",
        "answered",
    ),
    "overlap the other way round": (
        lambda r: completion(judgement(r, "overlap", orientation="inverted")),
        "overlap",
        "answered",
    ),
    "equal with a harmless difference": (
        lambda r: completion(judgement(r, differences=[_difference()])),
        "equal",
        "answered",
    ),
    "equal but for an accident": (
        lambda r: completion(
            judgement(
                r,
                fungibility="caveat",
                one_sided_world="it is a tie",
                differences=[_difference(can_split=True)],
            )
        ),
        "equal",
        "answered",
    ),
    "a quote over a line's end": (
        lambda r: completion(
            judgement(r, kalshi_yes={"quote": "If Acme\n reports  0 sales", "meaning": "x"})
        ),
        "equal",
        "answered",
    ),
    "unrelated": (lambda r: completion(judgement(r, "unrelated")), "unrelated", "answered"),
    "unclear": (lambda r: completion(judgement(r, "unclear")), "unclear", "answered"),
}


def _difference(**changes: object) -> dict[str, object]:
    return {
        "dimension": "deadline",
        "kalshi_quote": "before Jan 1, 2027",
        "polymarket_quote": "by Dec 31",
        "can_split": False,
        **changes,
    }


class TestAnswers:
    """What an answer is worth."""

    @pytest.mark.parametrize("name", ANSWERS)
    def test_answers(
        self, name: str, judge_settings: JudgeSettings, endpoint: ScriptedEndpoint
    ) -> None:
        answer, relation, reason = ANSWERS[name]
        endpoint.script = lambda request, number: Answer(answer(request))
        first = judged(pairs(count=1), judge_settings)
        second = judged(pairs(count=1), judge_settings)

        assert first.outcomes["relation"].to_pylist() == [relation]
        assert first.outcomes["reason"].to_pylist() == [reason]
        kind = "caveat" if name == "equal but for an accident" else "clean"
        assert first.outcomes["fungibility"].to_pylist() == [kind if relation == "equal" else None]
        # It was an answer, and it was paid for: it is not asked for again.
        assert second.outcomes == first.outcomes
        assert len(endpoint.requests) == 1
        assert first.usd == Decimal("0.0014")

    @pytest.mark.parametrize(
        ("answer", "reason"),
        [
            (Answer(b'{"choices": [{"mess'), "not a chat completion"),
            (Answer(b"<html>hello", content_type="text/html"), "not a chat completion"),
            (Answer({"choices": []}), "not a chat completion"),
            (
                Answer({**completion("x"), "usage": {"prompt_tokens": 10**30}}),
                "not a chat completion",
            ),
            (Answer([]), "not a chat completion"),
            (Answer(b"[" * 100_000), "not a chat completion"),
            (Answer(completion("x"), sent_bytes=40), "no connection"),
            (Answer({"error": {}}, status=400), "turned away with 400"),
            (Answer({"error": {}}, status=401), "turned away with 401"),
        ],
    )
    def test_what_is_no_answer_is_asked_again_next_time(
        self, answer: Answer, reason: str, judge_settings: JudgeSettings, endpoint: ScriptedEndpoint
    ) -> None:
        endpoint.script = lambda request, number: answer
        first = judged(pairs(count=1), judge_settings)
        endpoint.script = always()
        second = judged(pairs(count=1), judge_settings)

        assert first.unevaluated == {reason: 1}
        assert first.calls == 1
        assert relations(second) == ["equal"]

    def test_an_answer_that_was_cut_off_is_none(
        self, judge_settings: JudgeSettings, endpoint: ScriptedEndpoint
    ) -> None:
        """Whole by chance or not. It was paid for, and is asked for twice; then only with more."""
        endpoint.script = lambda request, number: Answer(
            completion(judgement(request), finish_reason="length")
        )
        runs = [judged(pairs(count=1), judge_settings) for _ in range(4)]
        assert [run.unevaluated for run in runs] == [
            {"cut off at 1,000 tokens": 1}, {"cut off at 1,000 tokens": 1},
            {"cut off twice already": 1}, {"cut off twice already": 1},
        ]  # fmt: skip
        assert [run.calls for run in runs] == [1, 1, 0, 0]
        assert runs[0].usd == Decimal("0.0014")
        with VerdictLedger(judge_settings.ledger) as ledger:
            assert ledger.verdicts() == {}
            assert sum(one.output_tokens or 0 for one in ledger.usage()) == 400
        fewer = changed(judge_settings, max_output_tokens=999)
        assert judged(pairs(count=1), fewer).calls == 0
        endpoint.script = always()
        more = changed(judge_settings, max_output_tokens=1_001)
        assert relations(judged(pairs(count=1), more)) == ["equal"]

    def test_a_cut_off_answer_of_an_older_ledger_is_none(
        self, judge_settings: JudgeSettings
    ) -> None:
        judged(pairs(count=1), judge_settings)
        with sqlite3.connect(judge_settings.ledger) as connection:
            connection.execute(
                "update verdicts set verdict = json_set("
                "verdict, '$.answer_kind', 'truncated', '$.relation', 'unclear')"
            )
        without_key = changed(judge_settings, api_key=SecretStr(""))
        assert judged(pairs(count=1), without_key).unevaluated == {"no key": 1}

    def test_usage_that_is_not_told_costs_the_worst(
        self, judge_settings: JudgeSettings, endpoint: ScriptedEndpoint
    ) -> None:
        endpoint.script = lambda request, number: Answer(
            {**completion(judgement(request)), "usage": None}
        )
        run = judged(pairs(count=1), judge_settings)

        # 1,000 tokens of output at 2 USD a million, and each byte of the request a token.
        assert run.usd > Decimal("0.002") + Decimal("0.000001") * 4_000
        assert run.outcomes["input_tokens"].to_pylist() == [None]


class TestRetries:
    """Trying again: after 429, 5xx and timeouts, and after nothing else."""

    def test_rate_limits_are_waited_for(
        self, judge_settings: JudgeSettings, endpoint: ScriptedEndpoint
    ) -> None:
        late = format_datetime(datetime.now(UTC) - timedelta(seconds=5), usegmt=True)
        answers = [
            Answer({}, status=429, headers={"Retry-After": "0.3"}),
            Answer({}, status=429),
            Answer({}, status=503, headers={"Retry-After": late}),
        ]
        endpoint.script = lambda request, number: (
            answers.pop(0) if answers else always()(request, number)
        )
        began = time.monotonic()
        run = judged(pairs(count=1), judge_settings)

        assert relations(run) == ["equal"]
        assert run.calls == len(endpoint.requests) == 4
        assert time.monotonic() - began >= 0.3
        assert run.usd == Decimal("0.0014")

    def test_after_a_rate_limit_all_calls_wait(
        self, judge_settings: JudgeSettings, endpoint: ScriptedEndpoint
    ) -> None:
        seen: list[float] = []

        def script(request: dict[str, Any], number: int) -> Answer | None:
            seen.append(time.monotonic())
            if number == 1:
                return Answer({}, status=429, headers={"Retry-After": "0.4"})
            return always()(request, number)

        endpoint.script = script
        judged(pairs(count=5), changed(judge_settings, calls_in_flight=1))

        assert min(seen[1:]) - seen[0] >= 0.4

    def test_attempts_end(self, judge_settings: JudgeSettings, endpoint: ScriptedEndpoint) -> None:
        endpoint.script = lambda request, number: Answer({}, status=500)
        run = judged(pairs(count=1), changed(judge_settings, attempts=3))

        assert run.unevaluated == {"server error 500": 1}
        assert (run.calls, run.usd) == (3, Decimal(0))

    def test_a_hanging_endpoint(
        self, judge_settings: JudgeSettings, endpoint: ScriptedEndpoint
    ) -> None:
        endpoint.script = lambda request, number: None if number < 3 else always()(request, number)
        run = judged(pairs(count=1), changed(judge_settings, timeout_seconds=0.2))

        assert relations(run) == ["equal"]
        assert run.calls == 3
        # Whoever answers too late may charge all the same.
        assert run.usd > Decimal("0.0014") + 2 * Decimal("0.002")

    def test_a_long_wait_ends_the_run(
        self, judge_settings: JudgeSettings, endpoint: ScriptedEndpoint
    ) -> None:
        endpoint.script = lambda request, number: Answer(
            {}, status=429, headers={"Retry-After": "3600"}
        )
        run = judged(pairs(count=50), changed(judge_settings, calls_in_flight=1))

        assert len(endpoint.requests) == 1
        assert run.unevaluated == {
            "rate limited": 1,
            "rate limited, and asked to wait too long": 49,
        }

    @pytest.mark.parametrize(("status", "most"), [(401, 5), (400, 15)])
    def test_an_endpoint_that_turns_away_is_left_alone(
        self, status: int, most: int, judge_settings: JudgeSettings, endpoint: ScriptedEndpoint
    ) -> None:
        endpoint.script = lambda request, number: Answer({}, status=status)
        run = judged(pairs(count=100), changed(judge_settings, calls_in_flight=5))

        assert len(endpoint.requests) <= most
        assert sum(run.unevaluated.values()) == 100

    def test_nobody_listens(self, judge_settings: JudgeSettings) -> None:
        run = judged(pairs(count=1), changed(judge_settings, base_url="http://127.0.0.1:9/v1"))

        assert run.unevaluated == {"no connection": 1}
        assert run.usd == 0

    @pytest.mark.parametrize(
        ("value", "seconds"),
        [
            ("2", 2),
            ("0.5", 0.5),
            ("-3", 0),
            ("nan", None),
            ("inf", None),
            ("soon", None),
            ("", None),
        ],
    )
    def test_retry_after(self, value: str, seconds: float | None) -> None:
        assert retry_after({"retry-after": value}) == seconds

    def test_retry_after_a_date(self) -> None:
        soon = format_datetime(datetime.now(UTC) + timedelta(seconds=30), usegmt=True)
        assert 25 < (retry_after({"retry-after": soon}) or 0) <= 30


class TestCache:
    """A question is paid for once."""

    def test_a_second_run_asks_nothing(
        self, judge_settings: JudgeSettings, endpoint: ScriptedEndpoint
    ) -> None:
        first = judged(pairs(count=30), judge_settings)
        second = judged(pairs(count=30), judge_settings)

        assert len(endpoint.requests) == 30
        assert (second.calls, second.usd) == (0, Decimal(0))
        assert second.outcomes == first.outcomes

    def test_without_a_key_every_answer_to_the_same_texts_counts(
        self, judge_settings: JudgeSettings, endpoint: ScriptedEndpoint
    ) -> None:
        """A pair that was taken down does not come back because the key or the model is gone."""
        early = datetime.now(UTC) - timedelta(days=1)
        judged(pairs(count=2), changed(judge_settings, model="old"), clock=lambda: early)
        endpoint.script = always("overlap")
        judged(pairs(count=2), judge_settings)
        off = {"api_key": SecretStr(""), "model": ""}
        later = judged(pairs(count=3), changed(judge_settings, **off))

        assert relations(later) == ["overlap", "overlap", "unevaluated"]
        assert later.outcomes["model"].to_pylist() == ["scripted", "scripted", None]
        assert len(endpoint.requests) == 4

    def test_a_flag_that_is_newer_than_the_answer(
        self, judge_settings: JudgeSettings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """As after an update that knows one more way to speak to the judge."""
        assert judged(pairs(count=1), judge_settings).outcomes["relation"].to_pylist() == ["equal"]
        monkeypatch.setattr(texts, "_SPEAKING", re.compile("acme"))
        for settings in (judge_settings, judge_settings.model_copy(update={"enabled": False})):
            later = judged(pairs(count=1), settings)
            (row,) = later.outcomes.to_pylist()
            assert (row["relation"], row["orientation"]) == ("unclear", None)
            assert row["reason"] == "equal although speaks_to_the_judge"
            assert row["claimed_relation"] == "equal"

    def test_switched_off_and_asking_in_batches(
        self, judge_settings: JudgeSettings, endpoint: ScriptedEndpoint
    ) -> None:
        off = judged(pairs(count=1), changed(judge_settings, enabled=False))
        batches = judged(pairs(count=1), changed(judge_settings, asks_in="batches"))

        assert (off.unevaluated, batches.unevaluated) == (
            {"switched off": 1},
            {"not asked by this build": 1},
        )
        assert off.outcomes["is_judge_on"].to_pylist() == [False]
        assert batches.outcomes["is_judge_on"].to_pylist() == [True]
        assert not endpoint.calls

    def test_prices_and_clocks_do_not_matter(
        self, judge_settings: JudgeSettings, endpoint: ScriptedEndpoint
    ) -> None:
        judged(pairs(count=2), judge_settings)
        table = pairs(count=2).append_column("kalshi_bid_price", pa.array([0.4, 0.6]))
        judged(table.append_column("fetched_at", pa.array([1, 2])), judge_settings)

        assert len(endpoint.requests) == 2

    def test_the_same_question_twice_in_a_run(
        self, judge_settings: JudgeSettings, endpoint: ScriptedEndpoint
    ) -> None:
        run = judged(pairs(pair(1), {**pair(1), "pair_id": "another"}), judge_settings)

        assert len(endpoint.requests) == 1
        assert relations(run) == ["equal", "equal"]

    def test_another_endpoint_is_another_judge(
        self, judge_settings: JudgeSettings, endpoint: ScriptedEndpoint
    ) -> None:
        """A model's name is what somebody serves under it."""
        judged(pairs(count=1), judge_settings)
        other = changed(judge_settings, base_url=endpoint.url.replace("127.0.0.1", "localhost"))
        endpoint.script = lambda request, number: Answer(completion(judgement(request, "overlap")))
        assert relations(judged(pairs(count=1), other)) == ["overlap"]
        assert relations(judged(pairs(count=1), judge_settings)) == ["equal"]
        assert len(endpoint.requests) == 2

    def test_each_text_the_model_and_the_endpoint_are_in_the_key(self) -> None:
        rows = [pair(1)] + [
            {**pair(1), "pair_id": name, name: "something else"} for name in PAIRS_SCHEMA.names[1:]
        ]
        keys = {
            one.cache_key
            for model in ("one", "two")
            for url in ("http://one", "http://two")
            for one in questions(pairs(*rows), model, url).values()
        }
        assert len(keys) == 4 * len(rows)

    def test_prompt_and_schema_are_in_the_key(self, monkeypatch: pytest.MonkeyPatch) -> None:
        keys = {cache_key("texts", "model", "url")}
        for name in ("PROMPT_VERSION", "SCHEMA_VERSION"):
            monkeypatch.setattr(f"python_models.kernels.pair_judge.prompt.{name}", "next")
            keys.add(cache_key("texts", "model", "url"))
        assert len(keys) == 3


class TestUsage:
    """What was asked, what it cost, how long it took."""

    def test_calls_hits_tokens_usd_and_seconds(
        self, judge_settings: JudgeSettings, endpoint: ScriptedEndpoint
    ) -> None:
        endpoint.latency_seconds = 0.05
        endpoint.script = lambda request, number: (
            Answer({}, status=500) if number == 1 else always()(request, number)
        )
        judged(pairs(count=3), judge_settings)
        judged(pairs(count=4), judge_settings)
        with VerdictLedger(judge_settings.ledger) as ledger:
            used = sorted(ledger.usage(), key=lambda one: one.calls)
            assert ledger.usage("9999-01-01") == []

        assert [(one.calls, one.answers, one.cache_hits) for one in used] == [(1, 1, 3), (4, 3, 0)]
        assert [one.input_tokens for one in used] == [1_000, 3_000]
        assert sum(one.nano_usd for one in used) == 4 * 1_400_000
        assert 0.05 <= (used[0].longest_answer_seconds or 0) < 5
        assert {(one.kind, one.model) for one in used} == {("calls", "scripted")}


class TestBudget:
    """Reserved before sending, counted after."""

    @pytest.mark.parametrize("scope", ["run", "day"])
    def test_calls(
        self, scope: str, judge_settings: JudgeSettings, endpoint: ScriptedEndpoint
    ) -> None:
        bounded = changed(judge_settings, **{f"max_calls_per_{scope}": 7})
        first = judged(pairs(count=20), bounded)
        second = judged(pairs(count=20), bounded)

        assert first.unevaluated == {f"over the budget of the {scope}": 13}
        assert len(endpoint.requests) == (14 if scope == "run" else 7)
        assert second.calls == (7 if scope == "run" else 0)

    @pytest.mark.parametrize("scope", ["run", "day"])
    def test_usd_are_never_exceeded(
        self, scope: str, judge_settings: JudgeSettings, endpoint: ScriptedEndpoint
    ) -> None:
        bounded = changed(judge_settings, **{f"max_usd_per_{scope}": Decimal("0.03")})
        run = judged(pairs(count=50), bounded)

        # A call costs 0.0014, and about 0.01 at worst: several fit, one after the other.
        assert 2 <= len(endpoint.requests) <= 21
        assert run.usd <= Decimal("0.03")
        assert run.unevaluated == {f"over the budget of the {scope}": 50 - run.calls}

    def test_the_worst_case_must_fit(
        self, judge_settings: JudgeSettings, endpoint: ScriptedEndpoint
    ) -> None:
        judged(pairs(count=1), changed(judge_settings, max_usd_per_run=Decimal("0.0014")))
        assert not endpoint.requests

    def test_a_new_day_has_a_new_budget(self, judge_settings: JudgeSettings) -> None:
        bounded = changed(judge_settings, max_calls_per_day=1)
        night = datetime(2026, 10, 1, 23, 59, tzinfo=UTC)
        first = judged(pairs(count=2), bounded, clock=lambda: night)
        second = judged(pairs(count=2), bounded, clock=lambda: night + timedelta(minutes=2))

        assert (first.calls, second.calls) == (1, 1)
        assert second.unevaluated == {}


KILLED = """
import sys
from decimal import Decimal
import pyarrow.ipc
from python_models.kernels.pair_judge.judge import judge_pairs
from python_models.kernels.pair_judge.ledger import VerdictLedger
from python_models.kernels.pair_judge.settings import load_judge_settings

settings = load_judge_settings()
pairs = pyarrow.ipc.open_file(sys.argv[1]).read_all()
with VerdictLedger(settings.ledger) as ledger:
    run = judge_pairs(pairs, settings, ledger)
print(run.calls, run.outcomes.num_rows - sum(run.unevaluated.values()))
"""


def start_run(table: pa.Table, settings: JudgeSettings, tmp_path: Path) -> subprocess.Popen[str]:
    """A run in a process of its own."""
    path = tmp_path / "pairs.arrow"
    with pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, table.schema) as writer:
        writer.write_table(table)
    given = settings.model_dump(mode="json")
    environment = {
        f"MARKETFINDER_JUDGE_{name.upper()}": str(value) for name, value in given.items()
    }
    return subprocess.Popen(
        [sys.executable, "-c", KILLED, str(path)],
        cwd=Path(__file__).resolve().parent.parent,
        env={**os.environ, **environment, "MARKETFINDER_JUDGE_API_KEY": KEY},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


class TestCrashes:
    """Kills, interrupts, and two runs at once."""

    def test_a_kill_loses_only_what_is_in_flight(
        self, judge_settings: JudgeSettings, endpoint: ScriptedEndpoint, tmp_path: Path
    ) -> None:
        endpoint.latency_seconds = 0.02
        bounded = changed(judge_settings, calls_in_flight=4)
        run = start_run(pairs(count=100), bounded, tmp_path)
        while len(endpoint.requests) < 40:
            assert run.poll() is None, run.communicate()
            time.sleep(0.005)
        run.send_signal(signal.SIGKILL)
        run.wait()
        time.sleep(0.1)
        sent = len(endpoint.requests)
        with VerdictLedger(judge_settings.ledger) as ledger:
            kept = len(ledger.verdicts())
        later = datetime.now(UTC) + timedelta(minutes=2)
        second = judged(pairs(count=100), bounded, clock=lambda: later)

        assert sent - 4 <= kept <= sent
        assert relations(second) == ["equal"] * 100
        assert len(endpoint.requests) == sent + 100 - kept
        # What was in flight stays on the account, at its worst price.
        assert spent_today(judge_settings)[0] >= 100

    def test_what_a_dead_run_was_asking_waits_for_its_lease(
        self, judge_settings: JudgeSettings, endpoint: ScriptedEndpoint
    ) -> None:
        (one,) = questions(pairs(count=1), judge_settings.model, judge_settings.base_url).values()
        now = datetime.now(UTC)
        with VerdictLedger(judge_settings.ledger) as ledger:
            ledger.reserve(
                Wish(one.cache_key, 5), "dead", judge_settings, now, timedelta(seconds=35)
            )
        first = judged(pairs(count=1), judge_settings)
        second = judged(pairs(count=1), judge_settings, clock=lambda: now + timedelta(seconds=36))

        assert first.unevaluated == {"asked by another run": 1}
        assert relations(second) == ["equal"]
        assert len(endpoint.requests) == 1

    def test_two_runs_at_once_buy_nothing_twice(
        self, judge_settings: JudgeSettings, endpoint: ScriptedEndpoint, tmp_path: Path
    ) -> None:
        endpoint.latency_seconds = 0.02
        runs = [start_run(pairs(count=80), judge_settings, tmp_path) for _ in range(2)]
        results = [run.communicate(timeout=60) for run in runs]
        calls = [int(out.split()[0]) for out, _ in results]
        answered = [int(out.split()[1]) for out, _ in results]

        assert len({json.dumps(request) for request in endpoint.requests}) == 80
        assert sum(calls) == len(endpoint.requests) == 80
        assert max(answered) == 80
        assert min(answered) >= 80 - judge_settings.calls_in_flight

    def test_an_interrupt_waits_for_what_is_in_flight(
        self, judge_settings: JudgeSettings, endpoint: ScriptedEndpoint
    ) -> None:
        endpoint.latency_seconds = 0.2

        async def interrupted(ledger: VerdictLedger) -> None:
            run = asyncio.create_task(judge_pairs_async(pairs(count=50), judge_settings, ledger))
            while len(endpoint.requests) < 20:
                await asyncio.sleep(0.01)
            run.cancel()
            with pytest.raises(asyncio.CancelledError):
                await run

        with VerdictLedger(judge_settings.ledger) as ledger:
            asyncio.run(interrupted(ledger))
            assert len(ledger.verdicts()) == len(endpoint.requests) == 20

    def test_a_reservation_is_one_of(self, judge_settings: JudgeSettings) -> None:
        now, lease = datetime.now(UTC), timedelta(minutes=1)
        with (
            VerdictLedger(judge_settings.ledger) as one,
            VerdictLedger(judge_settings.ledger) as two,
        ):
            first = one.reserve(Wish("key", 5), "one", judge_settings, now, lease)
            second = two.reserve(Wish("key", 5), "two", judge_settings, now, lease)

        assert isinstance(first, int)
        assert second == Refusal.TAKEN


@pytest.mark.usefixtures("clean_environment")
class TestSecrets:
    """The key is sent to the endpoint and goes nowhere else."""

    def test_the_key_is_sent_and_not_kept(
        self,
        judge_settings: JudgeSettings,
        endpoint: ScriptedEndpoint,
        caplog: pytest.LogCaptureFixture,
        capfd: pytest.CaptureFixture[str],
        tmp_path: Path,
    ) -> None:
        """Not even where the endpoint sends it back, in an answer or an error."""
        caplog.set_level(logging.DEBUG)
        answers = [
            Answer({"error": {"message": f"Incorrect API key: {KEY}"}}, status=500),
            Answer(completion(f"no JSON but {KEY}")),
            Answer({"error": {"message": f"Incorrect API key: {KEY}"}}, status=400),
        ]
        endpoint.script = lambda request, number: (
            answers.pop(0)
            if answers
            else Answer(
                completion(
                    judgement(
                        request, "overlap", one_sided_world=f"the key is {KEY}", confidence=0.5
                    )
                )
            )
        )
        run = judged(pairs(count=4), changed(judge_settings, calls_in_flight=1))
        shown = "\n".join(
            [
                repr(judge_settings),
                str(judge_settings),
                judge_settings.model_dump_json(),
                repr(run),
                str(run.outcomes.to_pylist()),
                caplog.text,
                *capfd.readouterr(),
                json.dumps(endpoint.requests),
            ]
        )
        stored = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())

        assert {value for headers in endpoint.headers for value in headers.values()} >= {
            f"Bearer {KEY}"
        }
        assert "the key is [key]" in shown
        assert KEY not in shown
        assert KEY.encode() not in stored

    @pytest.mark.parametrize("key", [f"{KEY}\n{KEY}", f"{KEY} x", f"{KEY}é"])
    def test_a_key_that_no_header_can_hold(self, key: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("MARKETFINDER_JUDGE_API_KEY", key)
        with pytest.raises(SettingsError) as caught:
            load_judge_settings()

        assert "MARKETFINDER_JUDGE_API_KEY: must be one line" in str(caught.value)
        assert KEY not in "".join(traceback.format_exception(caught.value))
        assert caught.value.__cause__ is None

    def test_a_key_in_the_wrong_place_is_not_shown(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in ("BASE_URL", "MAX_CALLS_PER_DAY", "MAX_USD_PER_RUN"):
            monkeypatch.setenv(f"MARKETFINDER_JUDGE_{name}", KEY)
        with pytest.raises(SettingsError) as caught:
            load_judge_settings()

        assert str(caught.value).count("\n") == 2
        assert KEY not in str(caught.value)


@pytest.mark.usefixtures("clean_environment")
class TestSettings:
    """The environment."""

    def test_without_anything_the_judge_is_off(self) -> None:
        assert not load_judge_settings().is_on

    def test_a_key_needs_a_model_and_prices(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("MARKETFINDER_JUDGE_API_KEY", KEY)
        monkeypatch.setenv("MARKETFINDER_JUDGE_USD_PER_MILLION_INPUT_TOKENS", "0.25")
        with pytest.raises(SettingsError) as caught:
            load_judge_settings()

        assert str(caught.value) == (
            "MARKETFINDER_JUDGE_API_KEY is set, but not MARKETFINDER_JUDGE_MODEL,"
            " MARKETFINDER_JUDGE_USD_PER_MILLION_OUTPUT_TOKENS. A local model costs 0."
        )

    def test_a_ledger_that_cannot_be_used(
        self, judge_settings: JudgeSettings, tmp_path: Path
    ) -> None:
        no_ledger = tmp_path / "no.sqlite"
        no_ledger.write_text("something else, which is long enough to be looked at")
        for path in (no_ledger, no_ledger / "judge.sqlite", tmp_path):
            with pytest.raises(FileError, match=r"cannot be used: .*MARKETFINDER_JUDGE_LEDGER"):
                VerdictLedger(path)
        assert no_ledger.read_text().startswith("something else")

    def test_a_file_that_is_no_text(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        monkeypatch.chdir(tmp_path)
        Path(".env").write_bytes(b"MARKETFINDER_JUDGE_MODEL=\xff\xfe")
        with pytest.raises(SettingsError, match=r"\.env is not a UTF-8 text file"):
            load_judge_settings()

    def test_prices(self, judge_settings: JudgeSettings) -> None:
        assert judge_settings.nano_usd(1_000_000, 1_000_000) == 3 * 10**9
        dear = changed(judge_settings, usd_per_million_input_tokens=Decimal("0.0000015"))
        assert dear.nano_usd(1, 0) == 1  # rounded up

    def test_the_example_names_every_setting(self) -> None:
        example = (Path(__file__).resolve().parent.parent / ".env.example").read_text()
        missing = [
            name
            for name in JudgeSettings.model_fields
            if name != "warehouse" and f"MARKETFINDER_JUDGE_{name.upper()}=" not in example
        ]
        assert missing == []


@pytest.mark.slow
def test_a_thousand_pairs_take_what_latency_and_limit_make_of_them(
    judge_settings: JudgeSettings, endpoint: ScriptedEndpoint
) -> None:
    """50 ms a call and 20 in flight: 2.5 s for 1,000 calls at best."""
    endpoint.latency_seconds = 0.05
    judged(pairs(pair(5_000)), judge_settings)  # what is loaded once
    table = pairs(count=1_000)
    began = time.perf_counter()
    run = judged(
        table, changed(judge_settings, max_usd_per_run=Decimal(100), max_usd_per_day=Decimal(100))
    )
    ratio = (time.perf_counter() - began) / (1_000 / 20 * 0.05)

    assert run.calls == 1_000
    assert endpoint.most_in_flight <= 20
    assert judged(table, judge_settings).calls == 0
    assert ratio < 6  # one at a time it would be 20; the machine may be busy
