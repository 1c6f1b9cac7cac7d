"""1,000 questions to an endpoint that takes 50 ms, 20 in flight: the judge and the bare client.

Run ``uv run python tests/benchmarks/pair_judge.py`` from the repository root; see the README beside
this file for what is measured and how.
"""

import argparse
import asyncio
import statistics
import sys
import tempfile
import time
from decimal import Decimal
from multiprocessing import Pipe, Process
from multiprocessing.connection import Connection
from pathlib import Path

import pyarrow as pa
from pydantic import SecretStr

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from judge_endpoint import ScriptedEndpoint
from judge_runs import judged, pairs

from python_models.kernels.pair_judge.calls import client
from python_models.kernels.pair_judge.judge import questions
from python_models.kernels.pair_judge.prompt import request_body
from python_models.kernels.pair_judge.settings import JudgeSettings

QUESTIONS, IN_FLIGHT, LATENCY_SECONDS = 1_000, 20, 0.05
BOUND_SECONDS = QUESTIONS / IN_FLIGHT * LATENCY_SECONDS


async def bare(table: pa.Table, settings: JudgeSettings) -> None:
    """The same requests by the openai client and a semaphore: nothing is kept or checked."""
    bodies = [
        request_body(one, settings)
        for one in questions(table, settings.model, settings.base_url).values()
    ]
    limiter = asyncio.Semaphore(IN_FLIGHT)
    async with client(settings) as endpoint:

        async def ask(body: dict[str, object]) -> None:
            async with limiter:
                await endpoint.chat.completions.create(**body)  # type: ignore[call-overload]

        await asyncio.gather(*map(ask, bodies))


def serve(address: Connection) -> None:
    """The endpoint, in a process of its own: it takes no time from those it is asked by."""
    endpoint = ScriptedEndpoint(latency_seconds=LATENCY_SECONDS)
    address.send(endpoint.url)
    address.recv()
    address.send((len(endpoint.requests), endpoint.most_in_flight))


def turn(name: str, table: pa.Table, url: str, folder: Path) -> float:
    """One contender once, with a ledger of its own: seconds."""
    settings = JudgeSettings(
        api_key=SecretStr("benchmark"),
        base_url=url,
        model="scripted",
        ledger=folder / f"{time.monotonic_ns()}.sqlite",
        usd_per_million_input_tokens=Decimal(0),
        usd_per_million_output_tokens=Decimal(0),
        calls_in_flight=IN_FLIGHT,
    )
    began = time.perf_counter()
    if name == "marketfinder":
        assert judged(table, settings).calls == table.num_rows
    else:
        asyncio.run(bare(table, settings))
    return time.perf_counter() - began


def main() -> None:
    """Prints the median of the turns, in seconds and in multiples of the bound."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    ours, theirs = Pipe()
    Process(target=serve, args=(theirs,), daemon=True).start()
    url = ours.recv()
    times: dict[str, list[float]] = {"marketfinder": [], "openai_client": []}
    with tempfile.TemporaryDirectory() as folder:
        for name in times:
            turn(name, pairs(count=1), url, Path(folder))
        for _ in range(rounds):
            for name, taken in times.items():
                taken.append(turn(name, pairs(count=QUESTIONS), url, Path(folder)))
    for name, taken in times.items():
        middle, best = statistics.median(taken), min(taken)
        print(
            f"{name}: {middle:.2f} s, {middle / BOUND_SECONDS:.2f} times the bound"
            f" (best {best:.2f} s, {best / BOUND_SECONDS:.2f})"
        )
    ours.send("end")
    asked, in_flight = ours.recv()
    print(f"{asked:,} requests, at most {in_flight} in flight")


if __name__ == "__main__":
    main()
