"""The judge's batches: sent once, taken up after a kill at any step, joined in any order."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import openai
import pyarrow as pa
import pytest
from conftest import KEY, Answer
from judge_endpoint import ScriptedEndpoint, always, completion, judgement
from judge_runs import changed, judged, pair, pairs, relations, spent_today

from python_models.kernels.pair_judge import batches as batches_module
from python_models.kernels.pair_judge.batches import (
    BatchReport,
    collect_batches,
    submit_batch,
)
from python_models.kernels.pair_judge.ledger import VerdictLedger
from python_models.kernels.pair_judge.settings import JudgeSettings


class KilledError(BaseException):
    """In place of a kill: nothing catches it."""


def submitted(table: pa.Table, settings: JudgeSettings) -> BatchReport | None:
    """Submits a batch with the ledger of the settings."""
    with VerdictLedger(settings.ledger) as ledger:
        return submit_batch(table, settings, ledger)


def collected(
    settings: JudgeSettings,
    later: timedelta = timedelta(0),
) -> list[BatchReport]:
    """Collects, some time later."""
    with VerdictLedger(settings.ledger) as ledger:
        return collect_batches(settings, ledger, clock=lambda: datetime.now(UTC) + later)


def left_files(settings: JudgeSettings) -> list[str]:
    """Request files that are still there."""
    return [path.name for path in settings.ledger.parent.rglob("*.jsonl")]


class TestBatches:
    """From pairs to a batch, and from its files to rows."""

    def test_an_answer_that_was_cut_off_is_none(
        self, judge_settings: JudgeSettings, endpoint: ScriptedEndpoint
    ) -> None:
        """What counts is the limit that it was sent with, whatever it is by now."""
        endpoint.script = lambda request, number: Answer(
            completion(judgement(request), finish_reason="length")
        )
        for turn in (1, 2):
            submitted(pairs(count=1), judge_settings)
            endpoint.end_batch(f"batch_{turn}")
            (report,) = collected(changed(judge_settings, max_output_tokens=100_000))
            assert (report.answered, report.open_again) == (0, 1)
        assert submitted(pairs(count=1), judge_settings) is None
        assert submitted(pairs(count=1), changed(judge_settings, max_output_tokens=2_000))

    def test_answers_are_joined_in_any_order(
        self,
        judge_settings: JudgeSettings,
        endpoint: ScriptedEndpoint,
    ) -> None:
        """Each pair gets its own answer: a quote that is not its own would fail."""
        sent = submitted(pairs(count=20), judge_settings)
        waiting = collected(judge_settings)
        endpoint.end_batch("batch_1")
        ended = collected(judge_settings)
        run = judged(pairs(count=20), judge_settings)

        assert sent is not None
        assert (sent.status, sent.questions) == ("in_progress", 20)
        assert [report.status for report in waiting] == ["in_progress"]
        assert ended == [BatchReport(sent.name, "completed", 20, 20, 0)]
        assert relations(run) == ["equal"] * 20
        assert (run.calls, len(endpoint.requests)) == (0, 0)
        assert run.outcomes["usd"].to_pylist() == [Decimal("0.0007")] * 20
        assert spent_today(judge_settings) == (20, 20 * 700_000)
        assert left_files(judge_settings) == []
        assert collected(judge_settings) == []

    def test_what_is_in_a_batch_is_not_asked_again(
        self,
        judge_settings: JudgeSettings,
        endpoint: ScriptedEndpoint,
    ) -> None:
        submitted(pairs(count=5), judge_settings)
        again = submitted(pairs(count=5), judge_settings)
        run = judged(
            pairs(count=6), judge_settings, clock=lambda: datetime.now(UTC) + timedelta(days=9)
        )

        assert again is None
        assert run.unevaluated == {"asked by another run": 5}
        assert len(endpoint.requests) == 1

    @pytest.mark.parametrize("status", ["expired", "cancelled"])
    def test_what_expired_is_asked_next_time(
        self,
        status: str,
        judge_settings: JudgeSettings,
        endpoint: ScriptedEndpoint,
    ) -> None:
        submitted(pairs(count=10), judge_settings)
        endpoint.end_batch("batch_1", status, expired=4)
        (ended,) = collected(judge_settings)
        again = submitted(pairs(count=10), judge_settings)

        assert (ended.answered, ended.open_again) == (6, 4)
        assert spent_today(judge_settings)[1] > 6 * 700_000
        assert again is not None
        assert again.questions == 4
        assert len(endpoint.batch_requests("batch_2")) == 4

    def test_a_batch_that_failed_as_a_whole(
        self,
        judge_settings: JudgeSettings,
        endpoint: ScriptedEndpoint,
    ) -> None:
        submitted(pairs(count=3), judge_settings)
        endpoint.batches["batch_1"]["status"] = "failed"
        (ended,) = collected(judge_settings)

        assert (ended.status, ended.answered, ended.open_again) == ("failed", 0, 3)
        assert relations(judged(pairs(count=3), judge_settings)) == ["equal"] * 3

    def test_a_batch_that_is_gone_may_have_been_charged(
        self,
        judge_settings: JudgeSettings,
        endpoint: ScriptedEndpoint,
    ) -> None:
        submitted(pairs(count=3), judge_settings)
        endpoint.batches.clear()
        (ended,) = collected(judge_settings)

        assert (ended.status, ended.open_again) == ("gone", 3)
        assert spent_today(judge_settings)[1] > 0

    def test_lines_that_cannot_be_used(
        self,
        judge_settings: JudgeSettings,
        endpoint: ScriptedEndpoint,
    ) -> None:
        endpoint.script = lambda request, number: (
            Answer({"error": {"message": "overloaded"}}, status=500)
            if number == 1
            else Answer(completion("equal"))
            if number == 2
            else always()(request, number)
        )
        submitted(pairs(count=4), judge_settings)
        endpoint.end_batch("batch_1")
        name = endpoint.batches["batch_1"]["output_file_id"]
        lines = endpoint.files[name].split(b"\n")
        strange = [b"", b"no JSON", b"[]", b'{"custom_id": "unknown"}', b'{"custom_id": null}']
        endpoint.files[name] = b"\n".join([*strange, *lines, *lines])
        (ended,) = collected(judge_settings)

        assert (ended.answered, ended.open_again) == (3, 1)
        with VerdictLedger(judge_settings.ledger) as ledger:
            found = sorted(verdict.relation for verdict in ledger.verdicts().values())
        assert found == ["equal", "equal", "unclear"]

    def test_checks_hold_for_batches(
        self,
        judge_settings: JudgeSettings,
        endpoint: ScriptedEndpoint,
    ) -> None:
        quote = {"quote": "words that nobody wrote", "meaning": "x"}
        endpoint.script = always(kalshi_yes=quote)
        cut = pair(2, polymarket_rules="It resolves to Yes if so. " * 1_000)
        submitted(pairs(pair(1), cut), judge_settings)
        endpoint.end_batch("batch_1")
        collected(judge_settings)
        run = judged(pairs(pair(1), cut), judge_settings)

        assert relations(run) == ["unclear", "unclear"]
        assert "equal although text_was_cut" in run.outcomes["reason"][1].as_py()

    def test_the_budget_bounds_a_batch(
        self,
        judge_settings: JudgeSettings,
        endpoint: ScriptedEndpoint,
    ) -> None:
        few = submitted(pairs(count=10), changed(judge_settings, max_calls_per_run=4))
        none = submitted(pairs(count=10), changed(judge_settings, max_usd_per_day=Decimal("0.001")))

        assert few is not None
        assert (few.questions, none) == (4, None)
        assert len(endpoint.batches) == 1

    def test_a_file_has_a_greatest_size(
        self,
        judge_settings: JudgeSettings,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(batches_module, "MAX_REQUESTS", 3)
        sizes = [submitted(pairs(count=7), judge_settings) for _ in range(4)]
        assert [report.questions if report else 0 for report in sizes] == [3, 3, 1, 0]

    def test_without_a_key(
        self,
        judge_settings: JudgeSettings,
        endpoint: ScriptedEndpoint,
    ) -> None:
        submitted(pairs(count=1), judge_settings)
        calls = len(endpoint.calls)
        keyless = changed(judge_settings, api_key=type(judge_settings.api_key)(""))

        assert submitted(pairs(count=2), keyless) is None
        assert [report.status for report in collected(keyless)] == ["no key"]
        assert len(endpoint.calls) == calls

    def test_the_key_is_not_in_the_file(
        self,
        judge_settings: JudgeSettings,
        endpoint: ScriptedEndpoint,
    ) -> None:
        submitted(pairs(count=2), judge_settings)
        stored = [path for path in judge_settings.ledger.parent.rglob("*") if path.is_file()]

        assert left_files(judge_settings)
        assert not any(KEY.encode() in path.read_bytes() for path in stored)
        assert not any(KEY.encode() in content for content in endpoint.files.values())


STEPS = {
    "before the file is written": ("_path", 0),
    "before the upload": ("_submit", 0),
    "after the upload": ("create", 0),
    "after the batch was made": ("note_batch", 1),
}


class TestKills:
    """A kill between any two steps of a submission: one batch in the end, and no answer lost."""

    @pytest.mark.parametrize("step", STEPS)
    def test_submission(
        self,
        step: str,
        judge_settings: JudgeSettings,
        endpoint: ScriptedEndpoint,
    ) -> None:
        def killed(*args: Any, **kwargs: Any) -> Any:
            raise KilledError

        target, batches = STEPS[step]
        owner: Any = {
            "create": openai.resources.batches.Batches,
            "note_batch": VerdictLedger,
        }.get(target, batches_module)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(owner, target, killed)
            with pytest.raises(KilledError):
                submitted(pairs(count=5), judge_settings)
        assert len(endpoint.batches) == batches
        early = collected(judge_settings)
        late = collected(judge_settings, later=timedelta(hours=2))
        if not endpoint.batches:
            submitted(pairs(count=5), judge_settings)
        endpoint.end_batch("batch_1")
        collected(judge_settings)
        run = judged(pairs(count=5), judge_settings)

        # The run that submits may still be alive.
        assert [report.status for report in early] == [
            "not known to be sent; tried again an hour after it began"
        ]
        expected = "never sent" if step == "before the file is written" else "in_progress"
        assert [report.status for report in late] == [expected]
        assert len(endpoint.batches) == 1
        assert (relations(run), run.calls) == (["equal"] * 5, 0)

    def test_collection(
        self,
        judge_settings: JudgeSettings,
        endpoint: ScriptedEndpoint,
    ) -> None:
        submitted(pairs(count=5), judge_settings)
        endpoint.end_batch("batch_1")
        finish, kept = VerdictLedger.finish, 0

        def finish_twice(*arguments: Any) -> None:
            nonlocal kept
            if kept == 2:
                raise KilledError
            finish(*arguments)
            kept += 1

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(VerdictLedger, "finish", finish_twice)
            with pytest.raises(KilledError):
                collected(judge_settings)
        (ended,) = collected(judge_settings)
        run = judged(pairs(count=5), judge_settings)

        assert (kept, ended.answered) == (2, 3)
        assert (relations(run), run.calls) == (["equal"] * 5, 0)
        assert spent_today(judge_settings) == (5, 5 * 700_000)

    @pytest.mark.parametrize("status", [429, 500, 401])
    def test_an_endpoint_that_does_not_answer(
        self,
        status: int,
        judge_settings: JudgeSettings,
        endpoint: ScriptedEndpoint,
    ) -> None:
        endpoint.faults = [Answer({"error": {"message": KEY}}, status=status)]
        sent = submitted(pairs(count=5), judge_settings)
        (resumed,) = collected(judge_settings, later=timedelta(hours=2))
        endpoint.faults = [Answer({}, status=status)]
        (unknown,) = collected(judge_settings)
        endpoint.end_batch("batch_1")
        (ended,) = collected(judge_settings)

        assert sent is not None
        assert str(status) in sent.status or sent.status == "rate limited"
        assert resumed.status == "in_progress"
        assert unknown.status == sent.status
        assert ended.answered == 5

    def test_a_new_prompt_asks_anew(
        self,
        judge_settings: JudgeSettings,
        endpoint: ScriptedEndpoint,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        submitted(pairs(count=3), judge_settings)
        endpoint.end_batch("batch_1")
        monkeypatch.setattr("python_models.kernels.pair_judge.prompt.PROMPT_VERSION", "next")
        (ended,) = collected(judge_settings)

        assert (ended.answered, spent_today(judge_settings)) == (0, (3, 3 * 700_000))
        assert judged(pairs(count=3), judge_settings).calls == 3
