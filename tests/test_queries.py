"""Ad hoc questions: the queries of the documents, table macros, and the prompt."""

import io
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest
from pipelines import ask
from rich.console import Console

from ingestion.build import PROJECT
from ingestion.errors import WarehouseError
from ingestion.prompt import open_prompt

_PAGE = (PROJECT / "docs" / "queries.md").read_text(encoding="utf-8")
_README = (PROJECT / "README.md").read_text(encoding="utf-8")
QUERIES = re.findall(r"^## \d+\. (.*?)\n.*?```sql\n(.*?)```", _PAGE, re.DOTALL | re.MULTILINE)
IN_README = re.findall(r'marketfinder sql --demo "\n(.*?)"\n```', _README, re.DOTALL)


def test_there_are_eleven_and_two() -> None:
    assert (len(QUERIES), len(IN_README)) == (11, 2)


@pytest.mark.parametrize("query", [query for _, query in QUERIES] + IN_README)
def test_every_query_of_the_documents_has_an_answer(demo_build: Path, query: str) -> None:
    assert ask(demo_build, query)


# Table macros


def test_a_pair_side_by_side(demo_build: Path) -> None:
    pair, kalshi, polymarket, bid = ask(
        demo_build,
        "select pair_id, kalshi.description, polymarket.description, kalshi.outcomes[1].bid_price"
        " from gold.market_similarities"
        " inner join gold.markets as kalshi on market1_id = kalshi.market_id"
        " inner join gold.markets as polymarket on market2_id = polymarket.market_id"
        " where relation = 'equal' order by pair_id",
    )[0]
    facts = {row[:2]: row[2:] for row in ask(demo_build, "from gold.pair(?)", pair)}
    assert facts["text", "rules"] == (kalshi, polymarket, None, kalshi != polymarket)
    assert facts["relation", "relation"] == (None, None, "equal", None)
    assert facts["terms", "window_ends_on"][3] is False
    assert facts["listed quote", "Yes bid"][0] == str(bid)
    best = ask(
        demo_build,
        "select price || ' for ' || size || ' at ' || fetched_at from silver.book_levels"
        " where level_number = 1 and side = 'ask' and outcome_id = ? || ':0'",
        pair.split("|")[0],
    )
    assert facts["book", "Yes ask"][0] == best[0][0]


def test_a_pair_that_was_refused_has_its_vetoes(demo_build: Path) -> None:
    pair, *veto = ask(
        demo_build,
        "select pair_id, veto_code, kalshi_value, polymarket_value from silver.pair_vetoes"
        " order by all",
    )[0]
    rows = ask(demo_build, "from gold.pair(?) where part = 'veto'", pair)
    assert ("veto", *veto, None, veto[1] != veto[2]) in rows


def test_a_pair_that_nobody_listed_is_empty(demo_build: Path) -> None:
    assert ask(demo_build, "from gold.pair('kalshi:nothing|polymarket:nothing')") == []


def test_bars_of_trades_and_books_side_by_side(demo_build: Path) -> None:
    rows = ask(
        demo_build,
        "select started_at, vwap, mid_price from gold.bars('coinbase', 'BTC-USD', 60)",
    )
    trades, books = (
        dict(
            ask(
                demo_build,
                f"select started_at, {value} from gold.{table}"
                " where exchange = 'coinbase' and symbol = 'BTC-USD' and duration_seconds = 60",
            )
        )
        for value, table in (("vwap", "trade_bars"), ("close", "order_book_bars"))
    )
    assert [row[0] for row in rows] == sorted({*trades, *books})
    assert len(trades) != len(books)
    for started_at, vwap, mid in rows:
        assert (vwap, mid) == (trades.get(started_at), books.get(started_at))


# The prompt


@pytest.fixture
def without_cli(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A user's home, who has no DuckDB CLI yet; what is put in it is on the PATH."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


def test_questions_through_a_pipe(
    demo_build: Path, without_cli: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = (
        ".tables\n.help\n.nothing\nselect count(*) as markets\nfrom gold.markets;\n"
        "selec;\ndrop table gold.sync_logs;\n\nselect 6 * 7 as answer"
    )
    monkeypatch.setattr(sys, "stdin", io.StringIO(asked))
    output = Console(file=io.StringIO(), width=160)
    assert open_prompt(output, demo_build) == 1
    shown = output.file.getvalue()  # type: ignore[attr-defined]
    for words in ("gold.matching_funnel", "gold.pair(pair)", "3600", "42", ".quit"):
        assert words in shown
    errors = [line for line in shown.splitlines() if line.startswith("error: ")]
    assert len(errors) == 3
    assert "no command .nothing" in errors[0]
    assert "syntax error" in errors[1]
    assert "read-only" in errors[2]


def test_a_terminal_is_asked_line_by_line_and_remembers(demo_build: Path, tmp_path: Path) -> None:
    given = {**os.environ, "MARKETFINDER_WAREHOUSE": str(demo_build), "PATH": "/nowhere"}
    given |= {"HOME": str(tmp_path), "TERM": "xterm"}
    ours, theirs = pty.openpty()
    command = [sys.executable, "-c", "from ingestion.cli import main; main()", "sql"]
    with subprocess.Popen(
        command, stdin=theirs, stdout=theirs, stderr=theirs, env=given, close_fds=True
    ) as process:
        os.close(theirs)
        shown = read_until(ours, "marketfinder> ")
        os.write(ours, b"select 6 *\n")
        shown += read_until(ours, "...> ")
        os.write(ours, b"7 as answer;\n")
        shown += read_until(ours, "marketfinder> ")
        os.write(ours, b".quit\n")
        assert process.wait(timeout=30) == 0
    os.close(ours)
    assert "42" in shown
    assert "7 as answer;" in (tmp_path / ".marketfinder_history").read_text(encoding="utf-8")


def read_until(terminal: int, end: str) -> str:
    """What a terminal shows, up to a text."""
    shown = ""
    while end not in shown:
        shown += os.read(terminal, 4096).decode(errors="replace")
    return shown


def test_the_duckdb_cli_is_used_where_it_is_installed(
    demo_build: Path, without_cli: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """A program of that name that says how it was called."""
    program = without_cli / "duckdb"
    program.write_text('#!/bin/sh\necho "called: $@"\nexit 7\n')
    program.chmod(0o755)
    assert open_prompt(Console(), demo_build) == 7
    assert open_prompt(Console(), demo_build, in_browser=True) == 7
    assert capfd.readouterr().out.splitlines() == [
        f"called: -readonly {demo_build}",
        f"called: -readonly -ui {demo_build}",
    ]


def test_what_cannot_be_opened_is_an_error_in_words(demo_build: Path, without_cli: Path) -> None:
    absent = without_cli / "none.duckdb"
    with pytest.raises(WarehouseError, match="is not there yet"):
        open_prompt(Console(), absent)
    assert not absent.exists()
    with pytest.raises(WarehouseError, match="needs the DuckDB CLI"):
        open_prompt(Console(), demo_build, in_browser=True)
