# /// script
# requires-python = ">=3.11"
# dependencies = [
#     "duckdb==1.5.5",
#     "numpy>=2.2,<3",
#     "scikit-learn>=1.9,<2",
#     "sparse-dot-topn>=1.2,<2",
# ]
# ///
"""Blocking of a simulated universe: the models, and TF-IDF with sparse_dot_topn on the same words.

Run ``uv run python tests/benchmarks/blocking.py`` from the repository root; see the README beside
this file for what is measured and how. The peer runs as ``uv run --script`` of this file.
"""

import argparse
import csv
import json
import math
import os
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import duckdb

ROOT = Path(__file__).resolve().parents[2]
TERMS = (
    *("contract_texts", "contract_windows", "contract_amounts", "contract_markers"),
    *("contract_subjects", "contract_wordings"),
)
BLOCKING = ("market_words", "word_weights", "similar_pairs", "blocking_keys", "candidate_pairs")
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
            *("--select", "+candidate_pairs"),
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


CONTENDERS = {"marketfinder": marketfinder, "sparse_dot_topn": sparse_dot_topn}


def measured(folder: Path, name: str) -> dict[str, Any]:
    """One turn of a contender in a process of its own."""
    runner = [sys.executable] if name == "marketfinder" else ["uv", "run", "--quiet", "--script"]
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
    parser.add_argument("--turn", choices=CONTENDERS)
    options = parser.parse_args()
    if options.turn:
        seconds, processor = CONTENDERS[options.turn](options.folder)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(json.dumps({"seconds": seconds, "processor": processor, "megabytes": peak}))
        return
    times: dict[str, list[float]] = {name: [] for name in CONTENDERS}
    for size in options.sizes:
        folder = options.folder / size
        prepare(folder, *map(int, size.split("x")))
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
    if len(options.sizes) == 2:
        products = [math.prod(map(int, size.split("x"))) for size in options.sizes]
        for name, (one, other) in times.items():
            exponent = math.log(other / one) / math.log(products[1] / products[0])
            print(f"{name:16} grows with the possible pairs to the power of {exponent:.2f}")


if __name__ == "__main__":
    main()
