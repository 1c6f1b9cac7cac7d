"""Ad hoc questions: the queries of the documents, table macros, and the prompt."""

import io
import os
import pty
import re
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import duckdb
import pytest
from pipelines import ask
from rich.cells import cell_len
from rich.console import Console

from ingestion.answers import show_query, write_query
from ingestion.build import PROJECT
from ingestion.cli import app
from ingestion.errors import FileError, MarketFinderError, WarehouseError
from ingestion.prompt import open_prompt
from ingestion.screens import show_validity
from ingestion.warehouse import open_warehouse

_PAGE = (PROJECT / "docs" / "queries.md").read_text(encoding="utf-8")
_README = (PROJECT / "README.md").read_text(encoding="utf-8")
QUERIES = re.findall(r"^## \d+\. (.*?)\n.*?```sql\n(.*?)```", _PAGE, re.DOTALL | re.MULTILINE)
IN_README = re.findall(r'marketfinder sql(?: --demo)? "\n(.*?)"\n```', _README, re.DOTALL)


def test_there_are_eleven_and_two() -> None:
    assert (len(QUERIES), len(IN_README)) == (11, 2)


@pytest.mark.parametrize("query", [query for _, query in QUERIES] + IN_README)
def test_every_query_of_the_documents_has_an_answer(demo_build: Path, query: str) -> None:
    if "gold.live_opportunities()" in query:  # the demo's clock is its own
        assert ask(demo_build, query) == []
        query = query.replace("gold.live_opportunities()", "gold.arbitrage_opportunities")
    assert ask(demo_build, query)


def test_how_long_quotes_are_still_valid(demo_build: Path, tmp_path: Path) -> None:
    ((last, count),) = ask(
        demo_build,
        "select max(quotes_expire_at), count(*) from (select quotes_expire_at, status"
        " from gold.arbitrage_opportunities union all select quotes_expire_at, status"
        " from gold.bundle_opportunities) where status = 'active'",
    )
    assert count > 1
    for seconds, said in (
        (-30, rf"quotes of \d+ of the {count} active opportunities are valid for .*30 s more\."),
        (5, rf"quotes of the {count} active opportunities have expired, the last 5 s ago"),
    ):
        screen = Console(file=io.StringIO(), width=200)
        with open_warehouse(demo_build, read_only=True) as connection:
            show_validity(screen, connection, last + timedelta(seconds=seconds))
        assert re.search(said, screen.file.getvalue())  # type: ignore[attr-defined]


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


# Answers on the screen


def shown(warehouse: Path, query: str, width: int = 80) -> list[str]:
    file = io.StringIO()
    show_query(Console(file=file, width=width), warehouse, query)
    return file.getvalue().splitlines()


@pytest.mark.parametrize("letter", ["x", "界"])
@pytest.mark.parametrize("width", range(77, 84))
def test_nothing_is_cut_off_at_the_edge(demo_build: Path, letter: str, width: int) -> None:
    text = letter * (38 if letter == "界" else 76)
    lines = shown(demo_build, f"select '{text}' as words", width)
    assert all(cell_len(line) <= width for line in lines)
    assert sum(line.count(letter) for line in lines) == len(text)
    # As a table it has two borders with a space each.
    assert lines[0].startswith("row 1") == (width < 80)


def test_a_wide_answer_is_shown_row_by_row_and_says_what_is_left_out(demo_build: Path) -> None:
    lines = shown(demo_build, "from gold.order_book_features")
    assert lines[0].strip() == "row 1"
    names = [row[0] for row in ask(demo_build, "describe gold.order_book_features")]
    first = lines[2 : lines.index(next(line for line in lines if line.startswith("row 2"))) - 1]
    assert [line.split()[1] for line in first] == names
    assert sum(line.startswith("row ") for line in lines) == 10
    assert lines[-1] == "The first 10 rows; there are more (all: --out answer.csv)."


def test_a_narrow_answer_says_what_is_left_out(demo_build: Path) -> None:
    lines = shown(demo_build, "select market_id from gold.markets")
    assert len(lines) == 3 + 100 + 2
    assert lines[-1] == "The first 100 rows; there are more (all: --out answer.csv)."
    assert len(shown(demo_build, "select market_id from gold.markets limit 100")) == 3 + 100 + 1


def test_no_rows_is_an_answer(demo_build: Path) -> None:
    lines = shown(demo_build, "select market_id, title from gold.markets where false")
    assert lines == ["No rows. The columns: market_id, title"]


def test_values_are_written_as_in_sql(demo_build: Path) -> None:
    lines = shown(demo_build, "select true as a, [1.50, null] as b, e'one\\ntwo' as c, null as d")
    assert [re.findall(r"[^│\s](?:[^│]*[^│\s])?", line) for line in lines[3:-1]] == [
        ["true", "[1.50, NULL]", "one"],
        ["two"],
    ]


# Answers in a file


def written(warehouse: Path, query: str, out: Path) -> str:
    file = io.StringIO()
    write_query(Console(file=file, width=80), warehouse, query, out)
    return file.getvalue()


def test_a_list_of_texts_has_semicolons(demo_build: Path) -> None:
    question = "select ['one', 'two: a', ''] as \"a \"\"b\", [] ::varchar[] as c, [1, 2] as d"
    lines = shown(demo_build, question)
    cells = [cell.strip() for cell in lines[3].split("│")[1:-1]]
    assert cells == ["one; two: a;", "", "[1, 2]"]


@pytest.mark.parametrize("ending", [".csv", ".parquet", ".CSV"])
def test_a_whole_answer_goes_into_a_file(demo_build: Path, tmp_path: Path, ending: str) -> None:
    """Whatever its name is in SQL, or to DuckDB's file systems."""
    query = "from gold.markets order by market_id -- all of them"
    out = tmp_path / f"it's * a; 'drop{ending}"
    assert written(demo_build, query, out).startswith(f"{out}, ")
    assert [path.name for path in tmp_path.iterdir()] == [out.name]
    plain_name = out.rename(tmp_path / f"answer{ending.lower()}")
    expected = ask(demo_build, "select market_id, outcomes::varchar from gold.markets order by all")
    found = f"select market_id, outcomes::varchar from '{plain_name}' order by all"
    assert duckdb.execute(found).fetchall() == expected
    assert len(expected) > 1_000


def test_a_file_is_replaced_by_a_whole_one_alone(demo_build: Path, tmp_path: Path) -> None:
    out = tmp_path / "answer.csv"
    assert "place of" not in written(demo_build, "select 1 as one", out)
    with pytest.raises(FileError, match="was not written"):
        written(demo_build, "select if(range < 2e6, 0, error('no')) from range(3_000_000)", out)
    assert out.read_text() == "one\n1\n"
    assert "in the place of the file" in written(
        demo_build, "use gold; pivot markets on platform", out
    )
    assert [path.name for path in tmp_path.iterdir()] == ["answer.csv"]
    written(demo_build, "select 1 as one", tmp_path / "new" / "answer.csv")  # as `report` does
    assert (tmp_path / "new" / "answer.csv").read_text() == "one\n1\n"


@pytest.mark.parametrize(
    ("query", "name", "problem"),
    [
        ("select 1", "answer.xlsx", "the ending says what is written, and .xlsx is none of .csv"),
        ("select 1", "answer", "no ending is none of .csv and .parquet"),
        ("select 1", "file/answer.csv", "file/answer.csv was not written: File exists"),
        ("select 1", "s3://bucket/answer.csv", "is written to a file of this machine"),
        ("select 1", "folder.csv", "folder.csv was not written: it is a folder"),
        ("from nothing", "answer.csv", "The query failed: .*nothing does not exist"),
        ("selec", "answer.csv", "The query failed: .*syntax error"),
        ("use gold", "answer.csv", "the last statement gives none"),
        ("drop table gold.sync_logs", "answer.csv", "The query failed: .*read-only mode"),
        ("drop table gold.sync_logs; select 1", "answer.csv", "The query failed: .*read-only mode"),
        ("-- nothing", "answer.csv", "There is no query in it"),
    ],
)
def test_what_cannot_be_written_is_told_in_words(
    demo_build: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    query: str,
    name: str,
    problem: str,
) -> None:
    (tmp_path / "folder.csv").mkdir()
    (tmp_path / "file").touch()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(MarketFinderError, match=problem):
        written(demo_build, query, Path(name))
    assert {path.name for path in tmp_path.iterdir()} == {"file", "folder.csv"}


def test_a_file_is_for_one_query(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        app(["sql", "--demo", "--out", "answer.csv"])
    assert "--out is for the answer to one query" in capsys.readouterr().err


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
