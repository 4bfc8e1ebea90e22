"""JSON-RPC 2.0 as MCP speaks it on standard input and output: one message a line.

Source: Model Context Protocol, base protocol and stdio transport, revisions 2024-11-05 to 2025-11-25.
"""

from typing import Any

import msgspec
from msgspec import UNSET, Struct, UnsetType

from perilune.core.decoding import converted

REVISIONS = ("2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05")
PARSE_ERROR, INVALID_REQUEST, METHOD_NOT_FOUND, INVALID_PARAMS = -32700, -32600, -32601, -32602
INTERNAL_ERROR = -32603
LONGEST_LINE = 4 * 1024 * 1024

Id = str | int


class Message(Struct, frozen=True):
    """A request where it has an id, a notification where it has none."""

    method: str
    id: Id | UnsetType | None = UNSET
    params: dict[str, Any] = {}
    jsonrpc: str = "2.0"


class ProtocolError(Exception):
    """A message that cannot be answered as it was meant. `number` is JSON-RPC's."""

    def __init__(self, number: int, words: str) -> None:
        super().__init__(words)
        self.number = number
        self.words = words


def read_message(line: bytes) -> Message | None:
    """The message of a line; None for an answer, as nothing is ever asked here. Raises: ProtocolError."""
    try:
        raw = msgspec.json.decode(line)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        raise ProtocolError(PARSE_ERROR, "not JSON") from None
    if isinstance(raw, dict) and "method" not in raw and ("result" in raw or "error" in raw):
        return None
    try:
        return converted(raw, Message)
    except msgspec.ValidationError:
        raise ProtocolError(INVALID_REQUEST, "not a JSON-RPC request") from None


def result_line(request: Id | None, result: object) -> bytes:
    """The line that answers a request."""
    return msgspec.json.encode({"jsonrpc": "2.0", "id": request, "result": result}) + b"\n"


def error_line(request: Id | None, error: ProtocolError) -> bytes:
    """The line that says why a request was not answered."""
    told = {"code": error.number, "message": error.words}
    return msgspec.json.encode({"jsonrpc": "2.0", "id": request, "error": told}) + b"\n"


def notification_line(method: str, params: object) -> bytes:
    """A line that wants no answer."""
    return msgspec.json.encode({"jsonrpc": "2.0", "method": method, "params": params}) + b"\n"
