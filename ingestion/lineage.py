"""The lineage site: dbt's documentation of every table and column as one page, served on loopback.

A warehouse is only read, for the types of its columns; without it, or while it is being written,
the site says everything else.
"""

import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from ingestion.build import artefacts, dbt_events, one_line
from ingestion.errors import BuildError, FileError, SettingsError, WarehouseError
from ingestion.warehouse import open_warehouse


def build_site(warehouse: Path) -> tuple[str, str | None]:
    """The page, and why it does not know the types of columns, if it does not.

    Raises BuildError with what dbt says is wrong.
    """
    doubt = _why_unread(warehouse)
    target = ["--target", "lint", "--empty-catalog"] if doubt else ["--target", "docs"]
    folder = artefacts("docs")
    page = folder / "static_index.html"
    page.unlink(missing_ok=True)
    arguments = ["docs", "generate", "--static", "--target-path", str(folder), *target]
    problems = [
        one_line(event["info"]["msg"])
        for event in dbt_events(warehouse, arguments, {}, is_reader=True)
        if event["info"]["level"] == "error"
    ]
    if problems or not page.exists():
        lines = problems or ["dbt stopped before it said why"]
        raise BuildError("dbt docs failed:\n" + "\n".join(f"  {line}" for line in lines))
    # The page is handed on; what folders this machine has is nobody's business.
    return page.read_text(encoding="utf-8").replace(f"{folder}{os.sep}", ""), doubt


def _why_unread(warehouse: Path) -> str | None:
    if not warehouse.exists():
        return f"{warehouse} is not there yet"
    try:
        with open_warehouse(warehouse, read_only=True):
            return None
    except WarehouseError as error:
        return str(error)


def write_site(page: str, path: Path) -> None:
    """Writes the page as one file. Raises FileError when it cannot be written."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(page, encoding="utf-8")
    except OSError as error:
        raise FileError(f"{path} cannot be written: {error.strerror or error}.") from None


class SiteServer(ThreadingHTTPServer):
    """Has its address before it has its page."""

    page = ""


def site_server(port: int) -> SiteServer:
    """A server of one page, for this machine only; who asks for it before it serves has to wait.
    Raises SettingsError when the port is taken."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            assert isinstance(self.server, SiteServer)
            is_page = self.path == "/"
            content = self.server.page.encode()
            self.send_response(200 if is_page else 404)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(content) if is_page else 0))
            self.end_headers()
            if is_page:
                self.wfile.write(content)

        def log_message(self, *args: object) -> None:
            pass

    try:
        return SiteServer(("127.0.0.1", port), Handler)
    except OSError as error:
        raise SettingsError(
            f"port {port} cannot be used ({error.strerror}): choose another with --port"
        ) from None
