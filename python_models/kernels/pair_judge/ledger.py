"""What was asked, what it cost and what was answered, in a file that several runs share.

A build that is killed rolls the warehouse back, and a DuckDB file takes one process at a time. The
ledger is therefore a SQLite file beside it: each answer is in it before the next one is used, and
every process that opens the same file sees the same answers, reservations and spending. A kill
takes none of them; if the power fails, at most the last 20 answers are gone, and asked again.

A call is reserved before it is sent, in one transaction that looks for an answer, for another run
that is asking, and at the budgets of the run and of the day (UTC). A reservation has a lease: where
a run dies, its question is free again once the lease has ended, and its worst-case price stays on
the day's account, because the endpoint may have charged it.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import Self

from ingestion.errors import FileError
from python_models.kernels.pair_judge.schema import Usage, Verdict
from python_models.kernels.pair_judge.settings import NANO_USD, JudgeSettings

_TABLES = """
create table if not exists verdicts (
    cache_key text primary key,
    text_hash text not null,
    judged_at real not null,
    verdict text not null
) without rowid;
create index if not exists verdicts_by_text on verdicts (text_hash, judged_at);
create table if not exists runs (
    run_id text primary key,
    kind text not null,
    model text not null,
    day text not null,
    cache_hits integer not null
) without rowid;
create index if not exists runs_by_day on runs (day);
create table if not exists attempts (
    attempt_id integer primary key,
    cache_key text not null,
    run_id text not null,
    day text not null,
    nano_usd integer not null,
    began_at real not null,
    ended_at real,
    lease_ends_at real not null,
    is_open integer not null,
    is_answered integer not null default false,
    input_tokens integer,
    output_tokens integer
);
create index if not exists attempts_by_key on attempts (cache_key, is_open, lease_ends_at);
create index if not exists attempts_by_run on attempts (run_id, nano_usd);
create index if not exists attempts_by_day on attempts (day, nano_usd);
create table if not exists cut_offs (
    cache_key text not null,
    max_output_tokens integer not null
);
create index if not exists cut_offs_by_key on cut_offs (cache_key);
create table if not exists batches (
    name text primary key,
    batch_id text,
    noted_at real not null,
    claim_ends_at real not null,
    is_open integer not null
);
"""
_USAGE = """
select
    run_id, kind, model, used.day, sum(used.cache_hits), sum(calls), sum(answers),
    sum(input_tokens), sum(output_tokens), sum(nano_usd), sum(seconds), max(seconds)
from (
    select run_id, day, cache_hits, 0 as calls, 0 as answers, 0 as input_tokens,
        0 as output_tokens, 0 as nano_usd, null as seconds
    from runs where day >= ?1
    union all
    select run_id, day, 0, 1, is_answered, input_tokens, output_tokens, nano_usd,
        case when is_answered then ended_at - began_at end
    from attempts where day >= ?1
) as used
inner join runs using (run_id)
group by run_id, kind, model, used.day
order by run_id, used.day
"""
_PATIENCE_SECONDS = 60
_KEYS_AT_ONCE = 500
_DURABLE_EVERY = 20  # a sync takes milliseconds, and everybody waits for it
CLAIM = timedelta(hours=1)
"""How long a run may take to submit a batch before another one does."""
_MOST_CUT_OFFS = 2
_FOR_EVER = timedelta(days=36_500)


class Refusal(StrEnum):
    """Why a call may not be made."""

    ANSWERED = "answered already"
    TAKEN = "asked by another run"
    CUT_OFF = "cut off twice already"
    OVER_RUN_BUDGET = "over the budget of the run"
    OVER_DAY_BUDGET = "over the budget of the day"


@dataclass(frozen=True)
class Wish:
    """A call that someone would like to make."""

    cache_key: str
    worst_nano_usd: int


@dataclass(frozen=True)
class OpenBatch:
    """A batch whose answers have not been collected; ``batch_id`` is null until it is known."""

    name: str
    batch_id: str | None


class VerdictLedger:
    """The shared file. Its methods are short transactions; it is closed by ``with``."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._finished = 0
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._connection = sqlite3.connect(
                path, timeout=_PATIENCE_SECONDS, isolation_level=None
            )
            # Readers do not wait for writers.
            self._connection.execute("pragma journal_mode = wal")
            self._connection.executescript(_TABLES)
        except (OSError, sqlite3.Error) as error:
            raise FileError(
                f"{path}, which holds the judge's answers, cannot be used: {error}. Put a whole one"
                " there or, to buy every answer anew, move it away (MARKETFINDER_JUDGE_LEDGER)."
            ) from None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._connection.close()

    @contextmanager
    def _transaction(self, *, is_durable: bool = True) -> Iterator[sqlite3.Connection]:
        # Either survives a kill of the process; only a durable one waits for the disk.
        self._connection.execute(f"pragma synchronous = {'full' if is_durable else 'normal'}")
        self._connection.execute("begin immediate")
        try:
            yield self._connection
        except BaseException:
            self._connection.execute("rollback")
            raise
        self._connection.execute("commit")

    def verdicts(self, keys: Sequence[str] | None = None) -> dict[str, Verdict]:
        """The answers there are, of some keys or of all."""
        if keys is None:
            rows = self._connection.execute("select verdict from verdicts").fetchall()
        else:
            rows = []
            for start in range(0, len(keys), _KEYS_AT_ONCE):
                some = keys[start : start + _KEYS_AT_ONCE]
                marks = ", ".join("?" * len(some))
                rows += self._connection.execute(
                    f"select verdict from verdicts where cache_key in ({marks})", some
                ).fetchall()
        found = (Verdict.model_validate_json(text) for (text,) in rows)
        return {verdict.cache_key: verdict for verdict in found}

    def latest_verdicts(self, text_hashes: Sequence[str]) -> dict[str, Verdict]:
        """The newest answer about each pair of texts, of any model and prompt, by their hash. (One
        that was cut off was kept as an answer once.)"""
        found: dict[str, Verdict] = {}
        for start in range(0, len(text_hashes), _KEYS_AT_ONCE):
            some = text_hashes[start : start + _KEYS_AT_ONCE]
            marks = ", ".join("?" * len(some))
            rows = self._connection.execute(
                f"select text_hash, verdict from verdicts where text_hash in ({marks})"
                " and verdict ->> '$.answer_kind' != 'truncated' order by judged_at, cache_key",
                some,
            )
            found.update((key, Verdict.model_validate_json(text)) for key, text in rows)
        return found

    def note_run(self, run_id: str, kind: str, model: str, cache_hits: int, now: datetime) -> None:
        """Keeps who is about to ask, and how many answers were there already."""
        with self._transaction() as connection:
            _note_run(connection, run_id, kind, model, cache_hits, now)

    def usage(self, since: str = "") -> list[Usage]:
        """What each run used on each day (YYYY-MM-DD, UTC) from ``since`` on.

        A call that has not ended counts at its worst price, as it does for the budget.
        """
        rows = self._connection.execute(_USAGE, (since,))
        return [Usage(*row) for row in rows]

    def keys_being_asked(self, now: datetime) -> set[str]:
        """The questions that a run or a batch has reserved."""
        rows = self._connection.execute(
            "select cache_key from attempts where is_open and lease_ends_at > ?",
            (now.timestamp(),),
        )
        return {key for (key,) in rows}

    def reserve(
        self, wish: Wish, run_id: str, settings: JudgeSettings, now: datetime, lease: timedelta
    ) -> int | Refusal:
        """Reserves one call: the number of the attempt, or why it may not be made."""
        with self._transaction(is_durable=False) as connection:
            return _reserve(connection, wish, run_id, settings, now, lease)

    def reserve_batch(
        self, wishes: Iterable[Wish], name: str, settings: JudgeSettings, now: datetime
    ) -> dict[str, int | Refusal]:
        """Reserves the calls of a batch and notes the batch, all at once or not at all.

        The batch is a run of its own. Its reservations end with it and not before.
        """
        with self._transaction() as connection:
            granted = {
                wish.cache_key: _reserve(connection, wish, name, settings, now, _FOR_EVER)
                for wish in wishes
            }
            if any(not isinstance(grant, Refusal) for grant in granted.values()):
                _note_run(connection, name, "batch", settings.model, 0, now)
                connection.execute(
                    "insert into batches values (?, null, ?, ?, true)",
                    (name, now.timestamp(), (now + CLAIM).timestamp()),
                )
        return granted

    def finish(
        self,
        attempt: int,
        nano_usd: int,
        now: datetime,
        verdict: Verdict | None = None,
        max_output_tokens: int = 0,
    ) -> None:
        """Ends an attempt with what it cost, and keeps its answer if it had one. Of one that was
        cut off only that is kept, and at how many tokens: with no more it is asked for twice."""
        self._finished += 1
        with self._transaction(is_durable=self._finished % _DURABLE_EVERY == 0) as connection:
            connection.execute(
                "update attempts set nano_usd = ?, ended_at = ?, is_open = false, is_answered = ?,"
                " input_tokens = ?, output_tokens = ? where attempt_id = ?",
                (
                    nano_usd,
                    now.timestamp(),
                    verdict is not None,
                    verdict and verdict.input_tokens,
                    verdict and verdict.output_tokens,
                    attempt,
                ),
            )
            if verdict and verdict.answer_kind == "truncated":
                connection.execute(
                    "insert into cut_offs values (?, ?)", (verdict.cache_key, max_output_tokens)
                )
            elif verdict:
                connection.execute(
                    "insert or ignore into verdicts values (?, ?, ?, ?)",
                    (
                        verdict.cache_key,
                        verdict.text_hash,
                        verdict.judged_at.timestamp(),
                        verdict.model_dump_json(),
                    ),
                )

    def spent(self, day: str | None = None, run_id: str | None = None) -> tuple[int, int]:
        """Calls and nano-dollars of a day (YYYY-MM-DD, UTC) or a run, reservations included."""
        column, value = ("run_id", run_id) if run_id else ("day", day)
        return _spent(self._connection, column, value)

    def open_batches(self) -> list[OpenBatch]:
        """The batches whose answers are to be collected, oldest first."""
        rows = self._connection.execute(
            "select name, batch_id from batches where is_open order by noted_at, name"
        ).fetchall()
        return [OpenBatch(*row) for row in rows]

    def claim_batch(self, name: str, now: datetime) -> bool:
        """Takes over the submission of a batch from a run that has not ended it for an hour."""
        with self._transaction() as connection:
            claimed = connection.execute(
                "update batches set claim_ends_at = ?"
                " where name = ? and is_open and batch_id is null and claim_ends_at <= ?",
                ((now + CLAIM).timestamp(), name, now.timestamp()),
            )
            return claimed.rowcount == 1

    def note_batch(self, name: str, batch_id: str) -> None:
        """Keeps the number that the endpoint gave a batch."""
        with self._transaction() as connection:
            connection.execute("update batches set batch_id = ? where name = ?", (batch_id, name))

    def open_attempts(self, run_id: str) -> dict[str, tuple[int, int]]:
        """Of a run's attempts that have not ended: attempt and nano-dollars, by cache key."""
        rows = self._connection.execute(
            "select cache_key, attempt_id, nano_usd from attempts where run_id = ? and is_open",
            (run_id,),
        ).fetchall()
        return {key: (attempt, nano_usd) for key, attempt, nano_usd in rows}

    def close_batch(self, name: str, is_charged: bool) -> int:
        """Ends a batch; what it left open may be asked again. Returns how many that are.

        ``is_charged``: whether the endpoint may have charged what was left open.
        """
        with self._transaction() as connection:
            left = connection.execute(
                "update attempts set nano_usd = nano_usd * ?, is_open = false"
                " where run_id = ? and is_open",
                (is_charged, name),
            ).rowcount
            connection.execute("update batches set is_open = false where name = ?", (name,))
        return int(left)


def _note_run(
    connection: sqlite3.Connection,
    run_id: str,
    kind: str,
    model: str,
    cache_hits: int,
    now: datetime,
) -> None:
    connection.execute(
        "insert into runs values (?, ?, ?, ?, ?)",
        (run_id, kind, model, f"{now:%Y-%m-%d}", cache_hits),
    )


def _spent(connection: sqlite3.Connection, column: str, value: str | None) -> tuple[int, int]:
    calls, nano_usd = connection.execute(
        f"select count(*), coalesce(sum(nano_usd), 0) from attempts where {column} = ?", (value,)
    ).fetchone()
    return int(calls), int(nano_usd)


def _reserve(
    connection: sqlite3.Connection,
    wish: Wish,
    run_id: str,
    settings: JudgeSettings,
    now: datetime,
    lease: timedelta,
) -> int | Refusal:
    answered, taken, cut_offs = connection.execute(
        """
        select
            exists (select 1 from verdicts where cache_key = ?1),
            exists (
                select 1 from attempts where cache_key = ?1 and is_open and lease_ends_at > ?2
            ),
            (select count(*) from cut_offs where cache_key = ?1 and max_output_tokens >= ?3)
        """,
        (wish.cache_key, now.timestamp(), settings.max_output_tokens),
    ).fetchone()
    if answered:
        return Refusal.ANSWERED
    if taken:
        return Refusal.TAKEN
    if cut_offs >= _MOST_CUT_OFFS:
        return Refusal.CUT_OFF
    day = f"{now:%Y-%m-%d}"
    for column, value, max_calls, max_usd, refusal in (
        (
            "run_id",
            run_id,
            settings.max_calls_per_run,
            settings.max_usd_per_run,
            Refusal.OVER_RUN_BUDGET,
        ),
        (
            "day",
            day,
            settings.max_calls_per_day,
            settings.max_usd_per_day,
            Refusal.OVER_DAY_BUDGET,
        ),
    ):
        calls, nano_usd = _spent(connection, column, value)
        if calls >= max_calls or nano_usd + wish.worst_nano_usd > max_usd * NANO_USD:
            return refusal
    inserted = connection.execute(
        """
        insert into attempts (cache_key, run_id, day, nano_usd, began_at, lease_ends_at, is_open)
        values (?, ?, ?, ?, ?, ?, true)
        """,
        (
            wish.cache_key,
            run_id,
            day,
            wish.worst_nano_usd,
            now.timestamp(),
            (now + lease).timestamp(),
        ),
    )
    return int(inserted.lastrowid or 0)
