"""A deployment of Convex on loopback: its mutation endpoint, the functions of examples/convex as a
publisher sees them, documents that stay, and faults at chosen calls."""

import json
import socket
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any

from conftest import QuietServer

KEY = "prod:happy-otter-123|secret-4711-do-not-show"
KEYS = {
    "markets": "marketId",
    "marketSimilarities": "pairId",
    "arbitrageOpportunities": "opportunityId",
    "syncLogs": "syncId",
}
UPSERTS = {
    "marketfinder:upsertMarkets": "markets",
    "marketfinder:upsertSimilarities": "marketSimilarities",
    "marketfinder:upsertOpportunities": "arbitrageOpportunities",
    "marketfinder:upsertSyncLogs": "syncLogs",
}
REMOVED_AT_ONCE = 200


class FunctionError(Exception):
    """What a function throws."""


@dataclass(frozen=True)
class Fault:
    """What one call meets: an answer in place of the function's, or a connection that is cut before
    or after the function has run."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b"{}"
    cut: str = ""


class ConvexServer:
    """Its state is `documents`, by table and id, and `status`; `writes` counts how often each was
    put.

    `faults` by the number of the call, from 1. `before` and `after` are called with the number of a
    call around its function. `calls` are path and arguments of each call that was read.
    """

    def __init__(self) -> None:
        self.documents: dict[str, dict[str, dict[str, Any]]] = {table: {} for table in KEYS}
        self.writes: Counter[tuple[str, str]] = Counter()
        self.status: dict[str, Any] = {}
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.bodies: list[bytes] = []
        self.faults: dict[int, Fault] = {}
        self.before: Callable[[int], None] = lambda number: None
        self.after: Callable[[int], None] = lambda number: None
        self.lock = threading.Lock()
        convex = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                with convex.lock:
                    convex.serve(self, body)

            def log_message(self, *args: object) -> None:
                pass

        self.server = QuietServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def close(self) -> None:
        """Stops the server."""
        self.server.shutdown()
        self.server.server_close()

    def serve(self, request: BaseHTTPRequestHandler, body: bytes) -> None:
        """One call, with its fault if it has one."""
        call = json.loads(body)
        self.calls.append((call["path"], call["args"]))
        self.bodies.append(body)
        number = len(self.calls)
        fault = self.faults.get(number, Fault())
        self.before(number)
        if fault.cut == "before":
            self.cut(request)
            return
        status, answer = 200, b""
        if request.path != "/api/mutation":
            status, answer = 404, b"no such page"
        elif request.headers["Authorization"] != f"Convex {KEY}":
            status, answer = 403, b'{"code": "BadDeployKey", "message": "The key was invalid"}'
        elif fault.status:
            status, answer = fault.status, fault.body
        else:
            assert call["format"] == "json"
            answer = json.dumps(self.run(call["path"], call["args"])).encode()
        self.after(number)
        if fault.cut == "after":
            self.cut(request)
            return
        request.send_response(status)
        for name, value in fault.headers.items():
            request.send_header(name, value)
        request.send_header("Content-Type", "application/json")
        request.send_header("Content-Length", str(len(answer)))
        request.end_headers()
        request.wfile.write(answer)

    @staticmethod
    def cut(request: BaseHTTPRequestHandler) -> None:
        """Ends the connection without an answer."""
        request.close_connection = True
        request.connection.shutdown(socket.SHUT_RDWR)

    def run(self, path: str, arguments: dict[str, Any]) -> dict[str, Any]:
        """A function in a transaction: what has thrown has done nothing."""
        before = {table: dict(rows) for table, rows in self.documents.items()}, dict(self.status)
        try:
            return {"status": "success", "value": self.function(path, arguments), "logLines": []}
        except FunctionError as error:
            self.documents, self.status = before
            return {"status": "error", "errorMessage": f"[Request ID: 1] Server Error\n{error}"}

    def function(self, path: str, arguments: dict[str, Any]) -> object:
        """As examples/convex/marketfinder.ts."""
        publication = arguments["publication"]
        if self.status.get("publication", 0) > publication:
            raise FunctionError("a newer publication has begun")
        is_simulated = arguments["isSimulated"]
        if self.status and self.status.get("isSimulated", False) != is_simulated:
            raise FunctionError("this deployment holds data of the other kind")
        self.status |= {"publication": publication, "isSimulated": is_simulated}
        if path in UPSERTS:
            table = UPSERTS[path]
            for document in arguments["documents"]:
                key = document[KEYS[table]]
                self.documents[table][key] = {**document, "publication": publication}
                self.writes[table, key] += 1
            return None
        if path == "marketfinder:writeSyncStatus":
            known = [*arguments["after"], publication]
            if not arguments["isFull"] and self.status.get("completed") not in known:
                return False
            self.status |= {"completed": publication, "runId": arguments["runId"]}
            return True
        if path == "marketfinder:remove":
            for key in arguments["ids"]:
                self.documents[arguments["table"]].pop(key, None)
            return None
        if path == "marketfinder:removeOlder":
            rows = self.documents[arguments["table"]]
            older = [key for key, row in rows.items() if row["publication"] < arguments["before"]]
            for key in older[:REMOVED_AT_ONCE]:
                del rows[key]
            return len(older[:REMOVED_AT_ONCE])
        raise FunctionError(
            f"Could not find public function for '{path}'. Did you forget to deploy?"
        )

    def contents(self) -> dict[str, dict[str, dict[str, Any]]]:
        """Every document by its id, without its publication."""
        return {
            table: {
                key: {name: value for name, value in row.items() if name != "publication"}
                for key, row in rows.items()
            }
            for table, rows in self.documents.items()
        }

    def counted(self) -> dict[str, int]:
        """How often each function was called."""
        return dict(Counter(path.removeprefix("marketfinder:") for path, _ in self.calls))
