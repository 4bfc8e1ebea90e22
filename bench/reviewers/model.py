"""One scripted model for two reviewers: it speaks Chat, knows what is wrong with a change, and says some badly."""

import json
import os
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from msgspec import Struct

from bench.replay.answers import Golden

MANNERS = ("true", "true", "true", "true", "wrong path", "invented", "duplicated", "true")
ANSWER_S = float(os.environ.get("BENCH_ANSWER_S", "0.25"))
_BYTES_PER_TOKEN = 4
_INVENTED = "    if not configured_elsewhere(payload): raise Unreachable(payload)"


class Remark(Struct, frozen=True):
    """Something the model has to say, and the manner in which it says it."""

    golden: Golden
    manner: str
    said_path: str

    @property
    def quote(self) -> str:
        return _INVENTED if self.manner == "invented" else self.golden.quote

    @property
    def times(self) -> int:
        return 2 if self.manner == "duplicated" else 1


def remarks(known: Sequence[Golden]) -> list[Remark]:
    """What the model says of these places: most of it truly."""
    found = []
    for at, golden in enumerate(known):
        manner = MANNERS[at % len(MANNERS)]
        others = sorted({other.path for other in known} - {golden.path})
        path = others[at % len(others)] if manner == "wrong path" and others else golden.path
        found.append(Remark(golden, manner if path != golden.path or manner != "wrong path" else "true", path))
    return found


class Ledger:
    """What a reviewer asked. Tokens are the bytes of both ways by four, counted alike for everybody."""

    def __init__(self) -> None:
        self.requests = self.tokens = 0
        self._lock = threading.Lock()

    def count(self, asked: int, answered: int) -> dict[str, int]:
        """The usage of one answer."""
        prompt, completion = asked // _BYTES_PER_TOKEN, answered // _BYTES_PER_TOKEN
        with self._lock:
            self.requests += 1
            self.tokens += prompt + completion
        return {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}


class Script:
    """Answers of the model to whoever asks."""

    def __init__(self, known: Sequence[Remark]) -> None:
        self._known = known

    def message(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """The assistant's message: tool calls for one reviewer, a JSON document for the other."""
        tools = [tool["function"]["name"] for tool in body.get("tools") or []]
        user = _text(body["messages"][-1])
        if "task_done" in tools:
            return self._comments(body["messages"], user)
        if "approve_all_comments" in tools:
            return _calls(("approve_all_comments", {}))
        if "\nid: " in user:
            return {"role": "assistant", "content": _verdicts(user)}
        return {"role": "assistant", "content": self._findings(user)}

    def _shown(self, text: str) -> list[Remark]:
        return [
            remark
            for remark in self._known
            if remark.golden.path in text and remark.golden.quote.split("\n")[0] in text
            for _ in range(remark.times)
        ]

    def _comments(self, messages: Sequence[Mapping[str, Any]], user: str) -> dict[str, Any]:
        shown = self._shown(user) if messages[-1]["role"] == "user" else []
        if not shown:
            return _calls(("task_done", {"state": "DONE"}))
        comments = [
            {
                "path": remark.said_path, "existing_code": remark.quote, "content": f"{remark.golden.name} fails here",
                "category": "bug", "severity": "high",
            }
            for remark in shown
        ]  # fmt: skip
        return _calls(("code_comment", {"comments": comments}))

    def _findings(self, user: str) -> str:
        entries = [
            {
                "path": remark.said_path, "side": "new", "quote": remark.quote, "start_line": 0, "end_line": 0,
                "category": "bug", "severity": "high", "confidence": 90, "title": f"{remark.golden.name} fails here",
                "body": "It fails. Return early.", "trigger": f"input {remark.golden.name}", "evidence": [],
                "suggestion": {"replace_quote": "", "replacement": ""}, "rule": "",
            }
            for remark in self._shown(user)
        ]  # fmt: skip
        return json.dumps({"findings": entries, "files_reviewed": []}, ensure_ascii=False)


def _verdicts(user: str) -> str:
    rows = []
    for block in user.split("\nid: ")[1:]:
        quote = next((line[2:] for line in block.split("\n") if line.startswith("> ") and line[2:].strip()), "")
        row = {"id": block.split("\n")[0], "verdict": "confirmed", "reason": "as shown", "severity": ""}
        rows.append(row | {"evidence_quote": quote})
    return json.dumps({"verdicts": rows}, ensure_ascii=False)


def _calls(*calls: tuple[str, Mapping[str, Any]]) -> dict[str, Any]:
    made = [
        {"id": f"call_{at}", "type": "function", "function": {"name": name, "arguments": json.dumps(arguments)}}
        for at, (name, arguments) in enumerate(calls)
    ]
    return {"role": "assistant", "content": None, "tool_calls": made}


def _text(message: Mapping[str, Any]) -> str:
    content = message.get("content") or ""
    return content if isinstance(content, str) else "".join(part.get("text", "") for part in content)


@contextmanager
def served(script: Script) -> Iterator[tuple[str, Ledger]]:
    """The model on a loopback port: its base URL and its ledger."""
    ledger = Ledger()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *args: object) -> None:
            return

        def do_GET(self) -> None:
            self._send({"object": "list", "data": [{"id": "scripted", "object": "model"}]})

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            document = json.loads(body)
            time.sleep(ANSWER_S)
            message = script.message(document)
            usage = ledger.count(len(body), len(json.dumps(message)))
            reason = "tool_calls" if message.get("tool_calls") else "stop"
            choice = {"index": 0, "message": message, "finish_reason": reason}
            head = {"id": f"c{ledger.requests}", "created": 1, "model": document["model"], "usage": usage}
            if document.get("stream"):
                self._stream({**head, "object": "chat.completion.chunk"}, choice)
            else:
                self._send({**head, "object": "chat.completion", "choices": [choice]})

        def _stream(self, head: dict[str, Any], choice: dict[str, Any]) -> None:
            delta = {"index": 0, "delta": choice["message"], "finish_reason": choice["finish_reason"]}
            chunk = json.dumps({**head, "choices": [delta]})
            self._raw(f"data: {chunk}\n\ndata: [DONE]\n\n".encode(), "text/event-stream")

        def _send(self, document: dict[str, Any]) -> None:
            self._raw(json.dumps(document).encode(), "application/json")

        def _raw(self, body: bytes, kind: str) -> None:
            self.send_response(200)
            self.send_header("content-type", kind)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1", ledger
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
