"""The published copy: whole, replaced at once or not at all, whatever happens on the way."""

import os
import resource
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest
from pipelines import ask, simulated, small_world

from ingestion.errors import PublishError, SettingsError, WarehouseError
from ingestion.pipeline import ingest
from ingestion.published_copy import Publication, publish_copy, readable_warehouse
from ingestion.run_log import Outcome, RunLog
from ingestion.runs import RunStep, run
from ingestion.settings import Settings, load_settings
from ingestion.simulation import note_simulation
from ingestion.warehouse_locks import locked

# Publishes over and over in children, each of which dies at another point.
KILLED = """
    import os, signal, sys
    from datetime import UTC, datetime
    from pathlib import Path

    import duckdb

    from ingestion import published_copy
    from ingestion.published_copy import publish_copy
    from ingestion.settings import Settings

    def die(*arguments):
        os.kill(os.getpid(), signal.SIGKILL)

    def half(file, new):
        new.write_bytes(file.read(100_000))
        die()

    def and_die(function):
        def run(*arguments):
            function(*arguments)
            die()
        return run

    points = {
        "half of the blocks": ("_copy", half),
        "all of the blocks": ("_copy", and_die(published_copy._copy)),
        "before it says what it is": ("_complete", die),
        "complete": ("_complete", and_die(published_copy._complete)),
        "before the rename": ("_flush", die),
        "in place": ("_put_in_place", and_die(published_copy._put_in_place)),
    }
    settings = Settings(warehouse=Path(sys.argv[1]))
    for point, (name, replacement) in points.items():
        print(point, flush=True)
        child = os.fork()
        if not child:
            setattr(published_copy, name, replacement)
            publish_copy(settings, run_id="killed")
            os._exit(0)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL, point
        sys.stdin.readline()
"""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A small warehouse with what a large one has: comments, a view, macros; 2 MB."""
    settings = Settings(warehouse=tmp_path / "warehouse.duckdb")
    with duckdb.connect(settings.warehouse) as connection:
        connection.execute(
            """
            create schema silver;
            create schema gold;
            create table silver.quotes as
            select range as quote_number, md5(range::varchar) as name from range(50_000);
            create view gold.quotes as select * from silver.quotes where quote_number < 10;
            create table gold.answers (answer integer);
            insert into gold.answers values (1);
            comment on table gold.answers is 'What is known.';
            comment on column gold.answers.answer is 'A number. Never null.';
            create macro silver.doubled(x) as 2 * x;
            create macro gold.above(lowest) as table
                select silver.doubled(answer) as answer from gold.answers where answer > lowest;
            """
        )
    return settings


def publish(settings: Settings) -> Publication:
    """One publication."""
    return publish_copy(settings, run_id="one", clock=lambda: datetime(2026, 10, 1, 12, tzinfo=UTC))


def change(settings: Settings, answer: int) -> None:
    """The next state of the warehouse."""
    with duckdb.connect(settings.warehouse) as connection:
        connection.execute("update gold.answers set answer = ?", [answer])


def answers(path: Path) -> list[tuple[int]]:
    """What a reader sees, after it has read every block."""
    assert ask(path, "select count(distinct name), max(quote_number) from silver.quotes") == [
        (50_000, 49_999)
    ]
    return ask(path, "from gold.answers")


def left_over(settings: Settings) -> set[str]:
    """The files beside the warehouse that nobody needs."""
    known = {"warehouse.duckdb", "warehouse.lock", "marketfinder.duckdb"}
    return {path.name for path in settings.warehouse.parent.iterdir()} - known


def test_the_copy_is_whole_whatever_it_is_called(settings: Settings, tmp_path: Path) -> None:
    published = publish(settings)
    assert published.path == tmp_path / "marketfinder.duckdb"
    assert published.file_bytes == published.path.stat().st_size
    assert left_over(settings) == set()
    renamed = tmp_path / "of last Thursday.duckdb"
    published.path.rename(renamed)
    assert answers(renamed) == [(1,)]
    assert ask(renamed, "select count(*) from gold.quotes") == [(10,)]
    assert ask(renamed, "from gold.above(0)") == [(2,)]
    assert ask(renamed, "select comment from duckdb_tables() where table_name = 'answers'") == [
        ("What is known.",)
    ]
    assert ask(renamed, "select comment from duckdb_columns() where table_name = 'answers'") == [
        ("A number. Never null.",)
    ]
    assert ask(renamed, "select run_id, published_at, warehouse from gold.publication") == [
        ("one", datetime(2026, 10, 1, 12), str(settings.warehouse))
    ]


def test_what_has_not_changed_is_not_written_again(settings: Settings) -> None:
    first = publish(settings)
    written = first.path.stat()
    assert publish(settings).seconds == 0
    now = first.path.stat()
    assert (now.st_ino, now.st_mtime_ns) == (written.st_ino, written.st_mtime_ns)
    change(settings, 2)
    assert publish(settings).seconds > 0
    assert answers(first.path) == [(2,)]


def test_a_reader_keeps_what_it_has_opened(settings: Settings) -> None:
    path = publish(settings).path
    with duckdb.connect(path, read_only=True) as reader:
        for number in range(2, 12):
            change(settings, number)
            publish(settings)
            assert reader.execute("from gold.answers").fetchall() == [(1,)]
            # A process has one view of a file of one name: another reader is another process.
            shown = subprocess.run(
                [sys.executable, "-c", _READ, str(path)], capture_output=True, text=True, check=True
            )
            assert shown.stdout == f"{number}\n"


_READ = """
import duckdb, sys
print(duckdb.connect(sys.argv[1], read_only=True).execute("from gold.answers").fetchall()[0][0])
"""


def test_a_publication_killed_anywhere(settings: Settings) -> None:
    publish(settings)
    change(settings, 2)
    seen = {}
    with subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(KILLED), str(settings.warehouse)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        point = process.stdout.readline()
        while point:
            # The line comes before the child is made, the answer after it is dead.
            process.stdin.write("\n")
            process.stdin.flush()
            following = process.stdout.readline()
            seen[point.strip()] = answers(settings.published)
            point = following
    assert process.returncode == 0
    *before, (last, after) = seen.items()
    assert len(before) == 5
    assert all(found == [(1,)] for _, found in before)
    assert (last, after) == ("in place", [(2,)])
    change(settings, 3)
    publish(settings)
    assert answers(settings.published) == [(3,)]
    assert left_over(settings) == set()


def limited(run: Callable[[], object], megabytes: float) -> str:
    """What goes wrong when no file may be longer than so many megabytes; in this process."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(megabytes * 1e6), before[1]))
    try:
        with pytest.raises(PublishError) as failed:
            run()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    return str(failed.value)


def test_no_room_for_a_copy(settings: Settings) -> None:
    publish(settings)
    change(settings, 2)
    told = limited(lambda: publish(settings), 1)
    assert "cannot be published: File too large. What was published before stays." in told
    assert f"A copy needs {settings.warehouse.stat().st_size / 1e6:,.0f} MB" in told
    assert answers(settings.published) == [(1,)]
    assert left_over(settings) == set()
    publish(settings)
    assert answers(settings.published) == [(2,)]


def test_nowhere_to_publish(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in place of a folder")
    elsewhere = settings.model_copy(update={"published": tmp_path / "file" / "copy.duckdb"})
    with pytest.raises(PublishError, match=r"cannot be published: .* Nothing is published\."):
        publish(elsewhere)


def test_nowhere_to_publish_is_told_before_the_run(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    nowhere = settings.model_copy(update={"published": tmp_path / "file" / "copy.duckdb"})
    with pytest.raises(PublishError, match="Set MARKETFINDER_PUBLISHED to a file in a folder"):
        run(nowhere, run_id="one")
    with duckdb.connect(settings.warehouse) as connection:
        assert (
            connection.execute("select 1 from duckdb_tables() where schema_name = 'raw'").fetchall()
            == []
        )


def test_what_is_not_ours_is_left_alone(settings: Settings) -> None:
    with duckdb.connect(settings.published) as connection:
        connection.execute("create table mine (answer integer)")
    with pytest.raises(PublishError, match="no published copy of ours, and is left alone"):
        publish(settings)
    assert ask(settings.published, "select count(*) from mine") == [(0,)]
    settings.published.unlink()
    publish(settings)
    settings.published.with_name("marketfinder.duckdb.wal").write_bytes(b"")
    change(settings, 2)
    with pytest.raises(PublishError, match="is open for writing in another program"):
        publish(settings)


def test_the_copy_of_another_warehouse_is_left_alone(settings: Settings) -> None:
    """A setting that was left over must not put simulated data in the place of live ones."""
    publish(settings)
    other = settings.warehouse.with_name("demo.duckdb")
    shutil.copyfile(settings.warehouse, other)
    change(settings, 2)
    demo = settings.model_copy(update={"warehouse": other})
    with pytest.raises(PublishError, match=r"the copy of another .*set MARKETFINDER_PUBLISHED"):
        publish(demo)
    with pytest.raises(PublishError, match="the copy of another"):
        run(demo, run_id="two", steps=[RunStep.PUBLISH])
    assert answers(settings.published) == [(1,)]
    publish(demo.model_copy(update={"published": settings.published.with_name("other.duckdb")}))
    # A folder that was moved takes both files with it.
    moved = settings.warehouse.parent / "moved"
    moved.mkdir()
    settings.warehouse.rename(moved / "warehouse.duckdb")
    settings.published.rename(moved / "marketfinder.duckdb")
    publish(Settings(warehouse=moved / "warehouse.duckdb"))
    assert answers(moved / "marketfinder.duckdb") == [(2,)]


def test_a_copy_of_simulated_data_says_so(settings: Settings) -> None:
    """In itself: whatever it is called, and whoever made it."""
    with duckdb.connect(settings.warehouse) as connection:
        note_simulation(connection, "demo", datetime(2026, 10, 1, 12, tzinfo=UTC))
    publish(settings)
    assert ask(settings.published, "select is_simulated from gold.publication") == [(True,)]
    settings.warehouse.rename(settings.warehouse.with_name("elsewhere.duckdb"))
    done = subprocess.run(
        [sys.executable, "-m", "ingestion.cli", "sql", "from gold.answers"],
        env={**os.environ, "MARKETFINDER_WAREHOUSE": str(settings.warehouse)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Simulated data:" in done.stderr


def test_the_simulator_is_known_by_its_answers(tmp_path: Path) -> None:
    """Whatever address it is served on, and whoever has asked it."""
    with simulated(tmp_path / "warehouse.duckdb", small_world()) as (settings, _):
        ingest("kalshi", settings, run_id="one", entities=["series"])
    assert ask(settings.warehouse, "select run_id from raw.simulations") == [("one",)]


def test_what_was_never_built_is_not_published(settings: Settings) -> None:
    with duckdb.connect(settings.warehouse) as connection:
        connection.execute("drop schema gold cascade; create schema gold")
    with pytest.raises(WarehouseError, match="nothing to publish yet"):
        publish(settings)
    assert not settings.published.exists()


def test_in_the_copy_the_run_has_ended(settings: Settings) -> None:
    """Who reads it, reads it after the rename; a clock that stands still makes no difference."""
    log = RunLog(settings.warehouse, "one", lambda: datetime(2026, 10, 1, 12, tzinfo=UTC))
    log.begin()
    with log.step("run"):
        with log.step("prices"):
            time.sleep(0.2)
        with log.step("publish"):
            publish_copy(settings, run_id="one", run_outcome=Outcome.IN_PART)
            ended = "select step, outcome, seconds, finished_at is not null from raw.run_steps"
            rows = {step: rest for step, *rest in ask(settings.published, ended)}
    assert [rows[step][0] for step in ("run", "prices", "publish")] == ["in part", "done", "done"]
    assert all(is_ended for *_, is_ended in rows.values())
    assert rows["run"][1] == pytest.approx(rows["prices"][1] + rows["publish"][1])
    assert rows["run"][1] > 0.2


def test_only_what_was_built_is_published(settings: Settings) -> None:
    log = RunLog(settings.warehouse, "one", lambda: datetime(2026, 10, 1, 12, tzinfo=UTC))
    log.begin()
    with log.step("pairs"):
        pass
    publish(settings)
    with pytest.raises(ZeroDivisionError), log.step("prices"):
        1 / 0  # noqa: B018
    with pytest.raises(WarehouseError, match=r"\(prices\) is not done: failed"):
        publish(settings)
    # Prices are made of pairs: green ones do not make up for pairs that failed.
    with pytest.raises(ZeroDivisionError), log.step("pairs"):
        1 / 0  # noqa: B018
    with log.step("prices"):
        pass
    with pytest.raises(WarehouseError, match=r"\(pairs\) is not done: failed"):
        publish(settings)
    with log.step("build order_books"):
        pass
    with pytest.raises(WarehouseError, match=r"\(pairs\) is not done: failed"):
        publish(settings)
    with log.step("build prediction_markets"):
        pass
    publish(settings)
    with duckdb.connect(settings.warehouse) as connection:
        connection.execute("drop schema gold cascade")
    with pytest.raises(WarehouseError, match="nothing to publish yet"):
        publish(settings)
    settings.warehouse.unlink()
    with pytest.raises(WarehouseError, match="is not there yet"):
        publish(settings)


def test_what_a_build_by_hand_has_left_is_not_published(settings: Settings) -> None:
    """It is in no log of runs: dbt itself notes what is to be built anew."""
    with duckdb.connect(settings.warehouse) as connection:
        connection.execute(
            "create schema raw;create table raw.unfinished_builds as select 'market_pairs' as model"
        )
    # Nothing was priced yet: matching alone may be published.
    publish(settings)
    change(settings, 2)
    with duckdb.connect(settings.warehouse) as connection:
        connection.execute("create table silver.opportunities (opportunity_id varchar)")
    with pytest.raises(WarehouseError, match="left out what is made of it: market_pairs"):
        publish(settings)
    assert answers(settings.published) == [(1,)]
    with duckdb.connect(settings.warehouse) as connection:
        connection.execute("delete from raw.unfinished_builds")
    publish(settings)
    assert answers(settings.published) == [(2,)]


def test_readers_read_the_copy_and_never_the_writer(settings: Settings) -> None:
    assert readable_warehouse(settings) == settings.warehouse
    question = [sys.executable, "-m", "ingestion.cli", "sql", "from gold.answers"]
    environment = {**os.environ, "MARKETFINDER_WAREHOUSE": str(settings.warehouse)}
    with locked(settings.warehouse):
        early = subprocess.run(
            question, env=environment, capture_output=True, text=True, check=False
        )
    assert early.returncode == 4
    assert "Wait until it ends. Nothing is published yet" in early.stderr
    publish(settings)
    assert readable_warehouse(settings) == settings.published
    with locked(settings.warehouse):
        done = subprocess.run(
            [sys.executable, "-m", "ingestion.cli", "sql", "select sum(answer) from gold.answers"],
            env={**os.environ, "MARKETFINDER_WAREHOUSE": str(settings.warehouse)},
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    assert "1" in done.stdout


def test_the_copy_is_not_the_warehouse(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MARKETFINDER_WAREHOUSE", "data/marketfinder.duckdb")
    with pytest.raises(SettingsError, match="MARKETFINDER_PUBLISHED: the copy for"):
        load_settings()
    monkeypatch.setenv("MARKETFINDER_PUBLISHED", "data/readers.duckdb")
    assert load_settings().published == Path("data/readers.duckdb")
