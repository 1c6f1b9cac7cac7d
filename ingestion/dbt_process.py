"""dbt as a child process that ends with its parent: it reads a pipe that only the parent has open.

A dbt that outlived a killed run would keep the next one from starting.
"""

import os
import threading
from collections.abc import Callable

from dbt.adapters.duckdb.credentials import DuckDBCredentials
from dbt.cli.main import cli

_keys_of_the_connection: Callable[[DuckDBCredentials], tuple[str, ...]] = (
    DuckDBCredentials._connection_keys
)


def _keys_but_the_path(credentials: DuckDBCredentials) -> tuple[str, ...]:
    """dbt parses the whole project anew, which takes as long as half a build, when one of these is
    another than before. The folder of the file makes no difference to what is parsed."""
    return tuple(key for key in _keys_of_the_connection(credentials) if key != "path")


def _end_with_the_parent() -> None:
    # Not by sys.stdin, which Python wants for itself when dbt is done: it would abort.
    while os.read(0, 1):
        pass
    os._exit(1)


if __name__ == "__main__":
    setattr(DuckDBCredentials, "_connection_keys", _keys_but_the_path)  # noqa: B010
    threading.Thread(target=_end_with_the_parent, daemon=True).start()
    cli()
