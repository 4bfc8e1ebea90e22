"""Everything that is known to go wrong behind the gateway, as faults of the sandbox."""

# ruff: noqa: E501 -- samples stand on one line, as they are sent

import random
from collections.abc import Callable
from typing import Any, get_args

from perilune.sandbox.behaviour import RetryForm
from perilune.sandbox.refusals import REFUSALS

FAR_S = 60.0
LONGEST_CUT = 2_600
_LINES = (
    'data: {"broken', "data: null", "data: 5", "data: []", 'data: "text"', "data:", "data: {}", "garbage", ":", "\x00\x01\x02",
    'data: {"choices": 5}', 'data: {"choices": [5]}', 'data: {"choices": [{"delta": 7}]}', 'data: {"type": 9}',
    'data: {"type": "content_block_delta", "index": "x", "delta": []}', 'data: {"type": "message_delta", "delta": 3}',
    'event: nonsense\ndata: {"x": 1}', 'event: error\ndata: {"broken', "data: " + "[" * 2_000, "id: 1\nretry: 0",
    'data: {"error": "words only"}', 'data: {"error": {"message": null}}', "data: \ud7ff\ufeff", "\ufeffdata: {}",
)  # fmt: skip
_RAW = (
    "", "\r\n", "garbage\r\n\r\n", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 abc\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
    "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    "HTTP/1.1 204 No Content\r\n\r\n", "HTTP/1.1 304 Not Modified\r\n\r\n", "HTTP/1.1 101 Switching Protocols\r\n\r\n",
    "HTTP/1.1 999 Odd\r\nContent-Length: 0\r\n\r\n", "\x16\x03\x01\x02\x00", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}",
    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n",
    "HTTP/1.1 429 Too Many\r\nRetry-After: 1\r\nContent-Length: 3\r\n\r\n\xff\xfe\xfd",
)  # fmt: skip
_BODIES: tuple[Any, ...] = (
    "{", "[]", "null", "5", '"text"', "{}", "\ufeff{}", {"error": None}, {"error": []}, {"error": {"code": "x", "message": 5}},
    {"choices": []}, {"choices": None}, {"choices": [{"message": None}]}, {"type": "message", "content": 5},
    {"object": "response", "output": None}, "[" * 5_000,
)  # fmt: skip


def _cut(chance: random.Random) -> dict[str, Any]:
    return {"cut_at": chance.randrange(LONGEST_CUT), "cut_how": chance.choice(("close", "reset"))}


def _refused(chance: random.Random) -> dict[str, Any]:
    form = chance.choice((None, *get_args(RetryForm)))
    return {"refusal": chance.choice(sorted(REFUSALS)), "retry_after": form, "count": chance.choice((1, 1, 2, 3))}


KINDS: dict[str, Callable[[random.Random], dict[str, Any]]] = {
    "refused": _refused,
    "status alone": lambda chance: {"status": chance.choice((400, 408, 409, 418, 425, 500, 502, 504, 520, 529))},
    "page instead": lambda chance: {"page": chance.choice(("html-502", "empty-200", "captive", "redirect"))},
    "error in the stream": lambda chance: chance.choice(
        (
            {"error_first": chance.choice(sorted(REFUSALS))},
            {"error_after": [chance.randrange(1, 6), chance.choice(sorted(REFUSALS))]},
            {"inside_200": chance.choice(sorted(REFUSALS))},
        )
    ),
    "reset": lambda chance: {"reset": chance.choice(("head", "body", "reused"))},
    "half-close": lambda chance: chance.choice(
        ({"truncate_length": 10}, {"no_length": True, "cut_at": chance.randrange(400)}, {"no_length": True})
    ),
    "hang": lambda chance: chance.choice(
        ({"delay_headers_s": FAR_S}, {"delay_content_s": FAR_S}, {"stall_after": chance.randrange(1, 6)})
    ),
    "cut": _cut,
    "garbage line": lambda chance: {"malformed_after": chance.randrange(1, 6), "malformed": chance.choice(_LINES)},
    "garbage answer": lambda chance: chance.choice(
        (
            {"raw": chance.choice(_RAW)},
            {"body": chance.choice(_BODIES), "status": 200},
            {"wrong_type": chance.choice(("text/html", "text/event-stream", "application/octet-stream"))},
        )
    ),
    "odd framing": lambda chance: chance.choice(
        (
            {"both_lengths": True},
            {"huge_header": 80_000},
            {"gzip": True},
            {"interim": [100, 103]},
            {"newline": chance.choice(("\r\n", "\r"))},
            {"comment_after": 2},
            {"sends_done": False},
            {"usage": chance.choice(("choice-only", "last-only", "different", "none"))},
            {"as_stream": chance.choice((True, False))},
        )
    ),
    "slow drip": lambda chance: {"dribble_s": 0.001, "dribble_size": chance.choice((1, 3, 17, 64))},
    "late": lambda chance: {"delay_headers_s": 0.1, "delay_content_s": 0.1, "gap_s": 0.01},
}


def fault(kind: str, chance: random.Random) -> dict[str, Any]:
    """One fault of a kind (`any`: of one that happens to come), met by the next answer that is asked for anywhere."""
    kind = chance.choice(sorted(KINDS)) if kind == "any" else kind
    fields = {"method": "POST", "count": 1, "skip": chance.choice((0, 0, 1)), "name": kind} | KINDS[kind](chance)
    return {name: value for name, value in fields.items() if value is not None}
