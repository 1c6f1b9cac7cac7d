# /// script
# requires-python = ">=3.11"
# dependencies = [
#     "duckdb==1.5.6",
#     "numpy>=2.2,<3",
#     "scikit-learn>=1.9,<2",
#     "sparse-dot-topn>=1.2,<2",
# ]
# ///
"""Blocking of a simulated universe: the models, and TF-IDF with sparse_dot_topn on the same words.

With ``--changes``: the whole of matching from nothing, and after 1 % of the listings changed.
Run ``uv run python tests/benchmarks/blocking.py`` from the repository root; see the README beside
this file for what is measured and how. The peer runs as ``uv run --script`` of this file.
"""

import argparse
import csv
import json
import math
import os
import resource
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import duckdb

ROOT = Path(__file__).resolve().parents[2]
TERMS = (
    *("contract_texts", "contract_windows", "contract_amounts", "contract_markers"),
    *("contract_names", "contract_subjects", "contract_wordings", "contract_terms"),
)
BLOCKING = ("market_words", "word_weights", "similar_pairs", "blocking_keys", "candidate_pairs")
PAIRS = (
    *("pair_sides", "pair_vetoes", "filtered_pairs", "related_pairs"),
    *("pair_doubts", "harmless_words", "pair_features", "pair_scores"),
)
CHAIN = (*TERMS, "matched_listings", "marker_groups", *BLOCKING, *PAIRS)
# One listing in a hundred: half of them are reworded, a quarter close, a quarter come back.
COMING, GOING, REWORDED = (
    f"hash(market_id) % 400 {place}" for place in ("= 1", "= 2", "in (3, 4)")
)
CHANGES = {
    "before": f"update silver.listings set is_active = false, is_closed = true where {COMING}",
    "after": f"""
        update silver.listings set is_active = true, is_closed = false where {COMING};
        update silver.listings set is_active = false, is_closed = true where {GOING};
        update silver.listings
        set title = title || ' Second edition.', description = description || ' Revised.'
        where {REWORDED};
    """,
}
TOP = 10


def environment(folder: Path) -> dict[str, str]:
    """What dbt needs to build in a folder of its own."""
    return {
        **os.environ,
        "MARKETFINDER_WAREHOUSE": str(folder / "warehouse.duckdb"),
        "DBT_TARGET_PATH": str(folder / "target"),
        "DBT_LOG_PATH": str(folder / "logs"),
    }


def prepare(folder: Path, kalshi_markets: int, polymarket_markets: int) -> None:
    """A warehouse with the terms of a simulated universe, and its truth; what is there is kept."""
    sys.path.insert(0, str(ROOT))
    from datetime import UTC, datetime

    from ingestion.pipeline import ingest_files
    from ingestion.settings import Settings
    from ingestion.simulator import World
    from ingestion.simulator.__main__ import write_truth

    if (folder / "seconds.json").exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    now = datetime(2026, 10, 1, 12, tzinfo=UTC)
    world = World(7, kalshi_markets, polymarket_markets, now)
    write_truth(world, folder / "truth.csv")
    venues = {
        "kalshi": (event for _, event in world.kalshi_events_from(0, has_markets=True)),
        "polymarket": world.polymarket_events(),
    }
    for venue, events in venues.items():
        path = folder / f"{venue}.json"
        path.write_text(json.dumps({"events": list(events)}), "utf-8")
        settings = Settings(warehouse=folder / "warehouse.duckdb")
        ingest_files(venue, [str(path)], settings, captured_at=now, run_id=venue)
    subprocess.run(
        [
            *(sys.executable, "-m", "dbt.cli.main", "build", "--quiet", "--threads", "1"),
            *("--select", "+candidate_pairs", "+labels"),
            *("--exclude-resource-type", "test", "--exclude-resource-type", "unit_test"),
        ],
        cwd=ROOT,
        env=environment(folder),
        check=True,
    )
    results = json.loads((folder / "target" / "run_results.json").read_text("utf-8"))["results"]
    seconds = {
        result["unique_id"].rpartition(".")[2]: result["execution_time"] for result in results
    }
    (folder / "seconds.json").write_text(json.dumps(seconds), "utf-8")


def marketfinder(folder: Path) -> tuple[dict[str, float], float]:
    """Builds the blocking models from the terms; seconds of each, and the processor's."""
    compiled = folder / "target" / "compiled" / "marketfinder" / "dbt_project" / "silver"
    started, seconds = time.process_time(), {}
    with duckdb.connect(folder / "warehouse.duckdb") as connection:
        connection.execute("set threads = 2; set memory_limit = '3GB'")
        for name in BLOCKING:
            query = (compiled / "prediction_markets" / f"{name}.sql").read_text("utf-8")
            start = time.perf_counter()
            connection.execute(f"create or replace table silver.{name} as {query}")
            seconds[name] = time.perf_counter() - start
    return seconds, time.process_time() - started


def sparse_dot_topn(folder: Path) -> tuple[dict[str, float], float]:
    """TF-IDF of the same words, and the ten nearest of the other venue, both ways."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sparse_dot_topn import sp_matmul_topn

    started, seconds = time.process_time(), {}
    start = time.perf_counter()
    with duckdb.connect(folder / "warehouse.duckdb", read_only=True) as connection:
        sides = {
            platform: connection.execute(
                "select market_id, words from silver.market_words"
                " where platform = ? order by market_id",
                [platform],
            ).fetchall()
            for platform in ("kalshi", "polymarket")
        }
    seconds["read"] = time.perf_counter() - start
    start = time.perf_counter()
    vectors = TfidfVectorizer(analyzer=lambda row: row[1], norm="l2")
    vectors.fit(sides["kalshi"] + sides["polymarket"])
    kalshi, polymarket = (vectors.transform(rows) for rows in sides.values())
    seconds["tf_idf"] = time.perf_counter() - start
    start = time.perf_counter()
    options: dict[str, Any] = {"top_n": TOP, "n_threads": 2}
    there = sp_matmul_topn(kalshi, polymarket.T.tocsr(), **options).tocoo()
    back = sp_matmul_topn(polymarket, kalshi.T.tocsr(), **options).tocoo()
    seconds["top_n"] = time.perf_counter() - start
    pairs = {*zip(there.row, there.col, strict=True), *zip(back.col, back.row, strict=True)}
    with (folder / "peer.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerows(
            (sides["kalshi"][one][0], sides["polymarket"][other][0]) for one, other in pairs
        )
    return seconds, time.process_time() - started


def chain(folder: Path, *arguments: str) -> dict[str, float]:
    """dbt from the texts to the scores, in this process: seconds of processors of each model."""
    os.environ |= environment(folder)
    os.chdir(ROOT)
    from dbt.cli.main import dbtRunner

    seconds: dict[str, float] = {}

    def note(event: Any) -> None:
        if event.info.name == "NodeFinished":
            name = event.data.node_info.node_name
            seconds[name] = time.process_time() - sum(seconds.values())

    options = ("--quiet", "--threads", "1", "--select", *CHAIN, *arguments)
    done = dbtRunner(callbacks=[note]).invoke(["run", *options])
    if not done.success:
        raise SystemExit(f"dbt failed: {done.exception or done.result}")
    return seconds


def full(folder: Path) -> tuple[dict[str, float], float]:
    """The chain from nothing."""
    return chain(folder, "--full-refresh"), time.process_time()


def incremental(folder: Path) -> tuple[dict[str, float], float]:
    """The chain over what it has built before."""
    return chain(folder), time.process_time()


TURNS = {"full": full, "incremental": incremental}


def after_changes(folder: Path) -> None:
    """A build from nothing and one after 1 % changed; whether one from nothing is the same."""
    scratch = folder / "changes"
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir()
    shutil.copy(folder / "warehouse.duckdb", scratch)
    times = {}
    for moment, turn in (("before", "full"), ("after", "incremental")):
        with duckdb.connect(scratch / "warehouse.duckdb") as connection:
            connection.execute(CHANGES[moment])
        times[turn] = measured(scratch, turn)
    print("seconds of processors, from nothing and after 1 % of the listings changed", flush=True)
    for name in CHAIN:
        one, other = (times[turn]["seconds"].get(name, math.nan) for turn in TURNS)
        print(f"    {name:18} {one:7.1f} {other:7.1f}")
    one, other = (times[turn]["processor"] for turn in TURNS)
    print(f"    {'in all, with dbt':18} {one:7.1f} {other:7.1f}, {other / one:.1%}", end="; ")
    print(", ".join(f"{times[turn]['megabytes']:,.0f} MB" for turn in TURNS))
    kept = scratch / "incremental.duckdb"
    shutil.copy(scratch / "warehouse.duckdb", kept)
    measured(scratch, "full")
    with duckdb.connect() as connection:
        connection.execute(f"attach '{kept}' as ours (read_only)")
        connection.execute(f"attach '{scratch / 'warehouse.duckdb'}' as theirs (read_only)")
        for name in CHAIN:
            sides = [
                f"select hash(whole) from {side}.silver.{name} as whole"
                for side in ("ours", "theirs")
            ]
            (counts,) = connection.execute(
                f"select (select count(*) from ({sides[0]} except all {sides[1]})),"
                f" (select count(*) from ({sides[1]} except all {sides[0]}))"
            ).fetchall()
            if any(counts):
                print(f"    {name}: rows only after changes, only from nothing: {counts}")


CONTENDERS = {"marketfinder": marketfinder, "sparse_dot_topn": sparse_dot_topn}


def measured(folder: Path, name: str) -> dict[str, Any]:
    """One turn of a contender in a process of its own."""
    runner = ["uv", "run", "--quiet", "--script"] if name == "sparse_dot_topn" else [sys.executable]
    done = subprocess.run(
        [*runner, __file__, "--turn", name, "--folder", folder],
        stdout=subprocess.PIPE,
        check=True,
    )
    return dict(json.loads(done.stdout))


def recall(folder: Path, pairs: str) -> tuple[int, float, float, float]:
    """Candidates; the most a market has on average; recall of equal and of related pairs."""
    with duckdb.connect(folder / "warehouse.duckdb", read_only=True) as connection:
        (answer,) = connection.execute(
            f"""
            with found as ({pairs}),
            listed as (select market_id from silver.market_words),
            truth as (
                select
                    relation = 'equal' as is_equal,
                    ('kalshi:' || kalshi_ticker, 'polymarket:' || polymarket_id) in (
                        select (kalshi, polymarket) from found
                    ) as is_found,
                from read_csv('{folder}/truth.csv')
                where relation != 'similar'
                    and 'polymarket:' || polymarket_id in (from listed)
                    and 'kalshi:' || kalshi_ticker in (from listed)
            )
            select
                (select count(*) from found),
                (select count(*) from found) / (
                    select min(markets) from (
                        select count(*) as markets from silver.market_words group by platform
                    )
                ),
                avg(is_found::int) filter (is_equal),
                avg(is_found::int) filter (not is_equal),
            from truth
            """
        ).fetchall()
    return tuple(answer)


def main() -> None:
    """Times both, in turns."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--sizes", nargs="+", default=["12700x12700", "84125x195860"])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--folder", type=Path, default=ROOT / "data" / "blocking")
    parser.add_argument("--changes", action="store_true", help="only what a change costs")
    parser.add_argument("--turn", choices=CONTENDERS | TURNS)
    options = parser.parse_args()
    if options.turn:
        seconds, processor = (CONTENDERS | TURNS)[options.turn](options.folder)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(json.dumps({"seconds": seconds, "processor": processor, "megabytes": peak}))
        return
    times: dict[str, list[float]] = {name: [] for name in CONTENDERS}
    for size in options.sizes:
        folder = options.folder / size
        prepare(folder, *map(int, size.split("x")))
        if options.changes:
            print(size)
            after_changes(folder)
            continue
        turns: dict[str, list[dict[str, Any]]] = {name: [] for name in CONTENDERS}
        for _ in range(options.rounds):
            for name in CONTENDERS:
                turns[name].append(measured(folder, name))
        read = json.loads((folder / "seconds.json").read_text("utf-8"))
        terms = ", ".join(f"{name} {read[name]:.1f} s" for name in TERMS if name in read)
        print(f"\n{size}; terms read in: {terms}")
        found = {
            "marketfinder": "select kalshi_market_id as kalshi, polymarket_market_id as polymarket"
            " from silver.candidate_pairs",
            "sparse_dot_topn": f"from read_csv('{folder}/peer.csv', header = false,"
            " columns = {'kalshi': 'text', 'polymarket': 'text'})",
        }
        for name, rows in turns.items():
            best = min(rows, key=lambda row: row["processor"])
            candidates, each, equal, related = recall(folder, found[name])
            times[name].append(best["processor"])
            steps = ", ".join(f"{step} {value:.1f}" for step, value in best["seconds"].items())
            print(
                f"{name:16} {sum(best['seconds'].values()):7.1f} s, {best['processor']:7.1f} s of"
                f" processors, {best['megabytes']:,.0f} MB; {candidates:,} candidates, {each:.1f} a"
                f" market; recall {equal:.4f} equal, {related:.4f} related  ({steps})"
            )
    if len(options.sizes) == 2 and not options.changes:
        products = [math.prod(map(int, size.split("x"))) for size in options.sizes]
        for name, (one, other) in times.items():
            exponent = math.log(other / one) / math.log(products[1] / products[0])
            print(f"{name:16} grows with the possible pairs to the power of {exponent:.2f}")


if __name__ == "__main__":
    main()
