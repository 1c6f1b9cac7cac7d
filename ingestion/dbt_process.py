"""dbt as a child process that ends with its parent: it reads a pipe that only the parent has open.

A dbt that outlived a killed run would keep the next one from starting.
"""

import os
import sys
import threading

from dbt.cli.main import cli


def _end_with_the_parent() -> None:
    sys.stdin.buffer.read()
    os._exit(1)


if __name__ == "__main__":
    threading.Thread(target=_end_with_the_parent, daemon=True).start()
    cli()
