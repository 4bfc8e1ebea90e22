"""Streams translated (Chat in front, Messages behind) beside streams passed through, in one run and one process.

Every answer has 100 chunks of content and comes in one piece: nothing hides behind waiting, and passing through is at
its cheapest. The figure that counts is the ratio of the two.
"""

import json
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench._ground import nginx, wrk
from bench._ground.processes import free_port, processor_s, running

PROXY_CORE, LOAD_CORE = 0, 1
SECONDS = int(os.environ.get("BENCH_SECONDS", "6"))
REPEATS = int(os.environ.get("BENCH_REPEATS", "3"))
CHUNKS = 100
CLIENTS = 16

CONFIG = """schema = 1

[[accounts]]
name = "bench"
plan = "moonshot"
region = "intl"
key = "env:BENCH_KEY"
max_concurrent_requests = 1000

[[gateway.routes]]
name = "passed"
match = ["passed"]
slots = [{ account = "bench", model = "kimi-k2.6", surface = "chat" }]

[[gateway.routes]]
name = "translated"
match = ["translated"]
slots = [{ account = "bench", model = "kimi-k2.6", surface = "messages" }]
"""
PATHS = {"passed": "/api.moonshot.ai/v1/chat/completions", "translated": "/api.moonshot.ai/anthropic/v1/messages"}


def chat_stream() -> bytes:
    """The answer in Chat."""
    head = {"id": "chatcmpl-bench", "object": "chat.completion.chunk", "created": 1, "model": "kimi-k2.6"}

    def chunk(delta: dict[str, str], finish: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "finish_reason": finish}
        return b"data: " + json.dumps(head | {"choices": [choice]}, separators=(",", ":")).encode() + b"\n\n"

    texts = b"".join(chunk({"content": f"word {number} and "}) for number in range(CHUNKS))
    usage = head | {"choices": [], "usage": {"prompt_tokens": 250, "completion_tokens": 160, "total_tokens": 410}}
    last = b"data: " + json.dumps(usage, separators=(",", ":")).encode() + b"\n\ndata: [DONE]\n\n"
    return chunk({"role": "assistant", "content": ""}) + texts + chunk({}, "stop") + last


def messages_stream() -> bytes:
    """The same answer in Messages."""

    def event(name: str, **fields: object) -> bytes:
        data = json.dumps({"type": name, **fields}, separators=(",", ":"))
        return f"event: {name}\ndata: {data}\n\n".encode()

    message = {"id": "msg_bench", "type": "message", "role": "assistant", "model": "kimi-k2.6", "content": []}
    start = event("message_start", message=message | {"usage": {"input_tokens": 250, "output_tokens": 1}})
    opened = event("content_block_start", index=0, content_block={"type": "text", "text": ""})
    texts = b"".join(
        event("content_block_delta", index=0, delta={"type": "text_delta", "text": f"word {number} and "})
        for number in range(CHUNKS)
    )
    closed = event("content_block_stop", index=0)
    ended = event("message_delta", delta={"stop_reason": "end_turn"}, usage={"output_tokens": 160})
    return start + opened + texts + closed + ended + event("message_stop")


@contextmanager
def perilune(folder: Path, vendor_port: int) -> Iterator[tuple[int, int]]:
    """The service in front of the vendor: its port and its process id."""
    home = folder / "home"
    home.mkdir(mode=0o700)
    config = home / "config.toml"
    config.write_text(CONFIG)
    config.chmod(0o600)
    port = free_port()
    environment = os.environ | {
        "PERILUNE_HOME": str(home),
        "PERILUNE_UPSTREAM": f"http://127.0.0.1:{vendor_port}",
        "BENCH_KEY": "sk-EXAMPLE0bench000000000000000000000000001",
    }
    command = [sys.executable, "-m", "perilune", "up", "--listen", f"127.0.0.1:{port}"]
    with running(command, port, core=PROXY_CORE, environment=environment) as process:
        yield port, process.pid


def body(model: str) -> bytes:
    """A small streamed Chat request."""
    asked = {"model": model, "stream": True, "messages": [{"role": "user", "content": "a" * 900}]}
    return json.dumps(asked).encode()


def rows(folder: Path) -> Iterator[list[str]]:
    """The measured rows: streams a second and processor time a chunk."""
    answers = {PATHS["passed"]: chat_stream(), PATHS["translated"]: messages_stream()}
    best: dict[str, float] = dict.fromkeys(PATHS, 0.0)
    cost: dict[str, float] = {}
    with nginx.streams(folder, answers, LOAD_CORE) as vendor, perilune(folder, vendor) as (port, pid):
        url = f"http://127.0.0.1:{port}/v1/chat/completions"
        for _ in range(REPEATS):
            for name in PATHS:
                before = processor_s(pid)
                load = wrk.load(url, body(name), folder, clients=CLIENTS, seconds=SECONDS, core=LOAD_CORE)
                if load.failures:
                    raise RuntimeError(f"{name}: {load.failures} of {load.requests} streams failed")
                spent = (processor_s(pid) - before) / load.requests / CHUNKS * 1e6
                cost[name] = min(spent, cost.get(name, spent))
                best[name] = max(best[name], load.per_second)
    share = best["translated"] / best["passed"]
    yield ["streams/s of 100 chunks", f"{best['passed']:,.0f}", f"{best['translated']:,.0f}", f"{share:.0%}"]
    ratio = f"{cost['translated'] / cost['passed']:.2f} ×"
    yield ["processor time, µs/chunk", f"{cost['passed']:.1f}", f"{cost['translated']:.1f}", ratio]


def main() -> None:
    """Print the table, or say what is missing."""
    if nginx.version() is None or not wrk.is_there() or (os.cpu_count() or 1) < 2:
        print("Not measured: this needs nginx, wrk and two cores.")
        return
    print(f"{CLIENTS} clients; best of {REPEATS} runs of {SECONDS} s; the service pinned to one core.\n")
    print("| Measure | passed through | translated | Ratio |\n|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for row in rows(Path(folder)):
            print("| " + " | ".join(row) + " |", flush=True)


if __name__ == "__main__":
    main()
