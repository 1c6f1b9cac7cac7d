"""A language model's endpoint on loopback that a test scripts: chat completions, files, batches.

It speaks OpenAI's wire formats and knows no model: ``script`` turns each request into an answer.
"""

import email
import json
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import urlsplit

from conftest import Answer, QuietServer

Script = Callable[[dict[str, Any], int], Answer | None]
"""A request's body and its number (from 1): its answer, or None for none before the server ends."""

USAGE = {"prompt_tokens": 1_000, "completion_tokens": 200, "total_tokens": 1_200}


def completion(
    content: object, finish_reason: str = "stop", refusal: str | None = None
) -> dict[str, Any]:
    """A chat completion; ``content`` is sent as JSON unless it is a text."""
    text = content if isinstance(content, str) else json.dumps(content)
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1_780_000_000,
        "model": "scripted",
        "choices": [
            {
                "index": 0,
                "finish_reason": finish_reason,
                "message": {"role": "assistant", "content": text, "refusal": refusal},
            }
        ],
        "usage": USAGE,
    }


def sides(request: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Both contracts as a model gets to see them."""
    read: dict[str, dict[str, Any]] = json.loads(request["messages"][-1]["content"])
    return read


def judgement(
    request: dict[str, Any], relation: str = "equal", **changes: object
) -> dict[str, Any]:
    """A well-formed answer with true quotes."""
    kalshi, polymarket = (side["rules"] or side["title"] for side in sides(request).values())
    return {
        "kalshi_yes": {"quote": kalshi[:200], "meaning": "it happens"},
        "polymarket_yes": {"quote": polymarket[:200], "meaning": "it happens"},
        "differences": [],
        "one_sided_world": None if relation in ("equal", "unclear") else "it happens on one day",
        "relation": relation,
        "orientation": "same",
        "fungibility": "clean" if relation == "equal" else None,
        "confidence": 0.9,
        **changes,
    }


def always(relation: str = "equal", **changes: object) -> Script:
    """A model that finds the same in every pair."""
    return lambda request, number: Answer(completion(judgement(request, relation, **changes)))


class _Server(QuietServer):
    request_queue_size = 128  # of connections that come at once


class ScriptedEndpoint:
    """The endpoint. ``requests`` are the bodies of all chat completions that were asked for."""

    def __init__(self, script: Script | None = None, latency_seconds: float = 0.0) -> None:
        self.script = script or always()
        self.latency_seconds = latency_seconds
        self.requests: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.calls: list[str] = []
        self.in_flight = self.most_in_flight = 0
        self.files: dict[str, bytes] = {}
        self.batches: dict[str, dict[str, Any]] = {}
        self.faults: list[Answer] = []
        self.ended = threading.Event()
        self._lock = threading.Lock()
        endpoint = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_POST(self) -> None:
                self.reply()

            def do_GET(self) -> None:
                self.reply()

            def reply(self) -> None:
                content = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                path = urlsplit(self.path).path.removeprefix("/v1")
                answer = endpoint.answer(self.command, path, content, dict(self.headers))
                if answer is None:
                    endpoint.ended.wait(60)
                    self.close_connection = True
                    return
                body = answer.content
                lines = {
                    "Content-Type": answer.content_type,
                    "Content-Length": str(len(body)),
                    **answer.headers,
                }
                head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
                sent = f"HTTP/1.1 {answer.status} -\r\n{head}\r\n".encode()
                self.wfile.write(sent + body[: answer.sent_bytes])
                self.close_connection = answer.sent_bytes is not None

            def log_message(self, *args: object) -> None:
                pass

        self.server = _Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/v1"
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def close(self) -> None:
        """Stops the server, and lets go of the requests it left without an answer."""
        self.ended.set()
        self.server.shutdown()
        self.server.server_close()

    def answer(
        self, method: str, path: str, content: bytes, headers: dict[str, str]
    ) -> Answer | None:
        """The answer to any request."""
        with self._lock:
            self.calls.append(f"{method} {path}")
            self.headers.append(headers)
        if path == "/chat/completions":
            return self._completion(json.loads(content))
        if self.faults:
            return self.faults.pop(0)
        if (method, path) == ("POST", "/files"):
            return self._upload(content, headers)
        if (method, path) == ("POST", "/batches"):
            return self._create_batch(json.loads(content))
        if (method, path) == ("GET", "/batches"):
            data = list(self.batches.values())
            return Answer({"object": "list", "data": data, "has_more": False})
        kind, _, name = path.strip("/").partition("/")
        if kind == "batches" and name in self.batches:
            return Answer(self.batches[name])
        if kind == "files" and name.removesuffix("/content") in self.files:
            return Answer(self.files[name.removesuffix("/content")], content_type="text/plain")
        return Answer({"error": {"message": "not found"}}, status=404)

    def _completion(self, request: dict[str, Any]) -> Answer | None:
        with self._lock:
            self.requests.append(request)
            number = len(self.requests)
            self.in_flight += 1
            self.most_in_flight = max(self.in_flight, self.most_in_flight)
        try:
            time.sleep(self.latency_seconds)
            return self.script(request, number)
        finally:
            with self._lock:
                self.in_flight -= 1

    def _upload(self, content: bytes, headers: dict[str, str]) -> Answer:
        kind = next(value for name, value in headers.items() if name.lower() == "content-type")
        form = email.message_from_bytes(f"Content-Type: {kind}\r\n\r\n".encode() + content)
        parts = {
            part.get_param("name", header="content-disposition"): part.get_payload(decode=True)
            for part in form.get_payload()
            if not isinstance(part, str)
        }
        assert parts["purpose"] == b"batch"
        name = f"file-{len(self.files) + 1}"
        uploaded = parts["file"]
        assert isinstance(uploaded, bytes)
        self.files[name] = uploaded
        size = len(uploaded)
        return Answer({"id": name, "object": "file", "bytes": size, "purpose": "batch"})

    def _create_batch(self, request: dict[str, Any]) -> Answer:
        assert request["endpoint"] == "/v1/chat/completions"
        name = f"batch_{len(self.batches) + 1}"
        self.batches[name] = {
            "id": name,
            "object": "batch",
            "status": "in_progress",
            "created_at": 1_780_000_000,
            **request,
        }
        return Answer(self.batches[name])

    def batch_requests(self, name: str) -> list[dict[str, Any]]:
        """The lines that a batch was made of."""
        content = self.files[self.batches[name]["input_file_id"]]
        return [json.loads(line) for line in content.splitlines()]

    def end_batch(self, name: str, status: str = "completed", expired: int = 0) -> None:
        """Answers a batch in the reverse order; the first ``expired`` requests expire instead."""
        asked = self.batch_requests(name)
        output, errors = [], []
        for number, line in enumerate(asked):
            if number < expired:
                error = {"code": "batch_expired", "message": "This request could not be executed."}
                errors.append({"custom_id": line["custom_id"], "response": None, "error": error})
                continue
            answer = self.script(line["body"], number + 1)
            assert answer is not None
            response = {"status_code": answer.status, "request_id": "1", "body": answer.body}
            output.append({"custom_id": line["custom_id"], "response": response, "error": None})
        for field, lines in (("output_file_id", output), ("error_file_id", errors)):
            if lines:
                file = f"file-{len(self.files) + 1}"
                self.files[file] = "\n".join(map(json.dumps, reversed(lines))).encode()
                self.batches[name][field] = file
        self.batches[name]["status"] = status
