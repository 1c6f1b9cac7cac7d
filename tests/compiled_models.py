"""Models compiled by dbt once, to run on DuckDB in memory over tables of a test's own."""

import json
import subprocess
import sys
from functools import cache

import duckdb

from ingestion.build import PROJECT, artefacts

# One parse for all: the functions are made by a hook, which compiling a model leaves out.
_COMPILE = """
import json, sys
from dbt.cli.main import dbtRunner

common = ["--target", "lint", "--quiet", "--no-write-json", "--target-path", sys.argv[1]]
manifest = dbtRunner().invoke(["parse", *common]).result
runner = dbtRunner(manifest=manifest)
found = {}
for more in (["--select", *sys.argv[2:]], ["--inline", "{{ create_functions() }}"]):
    done = runner.invoke(["compile", *common, *more])
    assert done.success, done.exception
    found |= {result.node.name: result.node.compiled_code for result in done.result.results}
print("compiled" + json.dumps(found))
"""


@cache
def compiled_models(*names: str) -> tuple[str, dict[str, str]]:
    """The project's SQL functions, and the SQL of each of the models in the order given."""
    done = subprocess.run(
        [sys.executable, "-c", _COMPILE, artefacts("lint"), *names],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    models = json.loads(done.stdout.rpartition("compiled{")[2].join(("{", "")))
    return models["inline_query"], {name: models[name] for name in names}


def database(*names: str) -> duckdb.DuckDBPyConnection:
    """An empty database with the project's functions."""
    connection = duckdb.connect()
    connection.execute("create schema silver")
    connection.execute(compiled_models(*names)[0])
    return connection
