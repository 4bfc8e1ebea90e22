"""A client that trusts nothing: raw requests on all three surfaces, and a judge of what came back.

An answer is right when it is whole and says what the model said; an error is clear when it is one, whole, and in the
dialect that was called. Everything else is a fault and is told in words.
"""

import asyncio
import json
from collections.abc import Sequence
from typing import Any, NamedTuple

SURFACES = ("chat", "responses", "messages")
PATHS = {"chat": "/v1/chat/completions", "responses": "/v1/responses", "messages": "/v1/messages"}
FORMS = tuple((surface, is_stream) for surface in SURFACES for is_stream in (False, True))


class Answer(NamedTuple):
    """What a client got. `is_whole`: the end of the answer came, by its own framing. `body` without the framing."""

    status: int
    headers: dict[str, str]
    body: bytes
    is_whole: bool
    ended_at: float

    @property
    def request_id(self) -> str:
        return self.headers.get("x-perilune-request-id", "")


def body_of(surface: str, *, model: str, is_stream: bool, prompt: str = "ping") -> bytes:
    """A request in the surface's dialect."""
    said = [{"role": "user", "content": prompt}]
    fields: dict[str, Any] = {"model": model, "stream": is_stream}
    match surface:
        case "chat":
            fields |= {"messages": said}
        case "responses":
            fields |= {"input": prompt}
        case _:
            fields |= {"messages": said, "max_tokens": 1_024}
    return json.dumps(fields).encode()


def request_of(surface: str, body: bytes, *extra: str) -> bytes:
    """The bytes of a request."""
    head = [f"POST {PATHS[surface]} HTTP/1.1", "host: 127.0.0.1", "content-type: application/json", *extra]
    return "\r\n".join([*head, f"content-length: {len(body)}"]).encode() + b"\r\n\r\n" + body


async def ask(port: int, request: bytes, *, limit_s: float = 90) -> Answer:
    """One request on a connection of its own. Raises: OSError where nobody answers, TimeoutError."""
    async with asyncio.timeout(limit_s):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            writer.write(request)
            await writer.drain()
            return await read_answer(reader)
        finally:
            writer.close()


async def read_answer(reader: asyncio.StreamReader) -> Answer:
    """The answer on a connection, as far as it came."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, ConnectionError) as error:
        return _answer(0, {}, getattr(error, "partial", b"reset"), is_whole=False)
    lines = head.decode("latin-1").split("\r\n")
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
    body = bytearray()
    try:
        await _read_body(reader, headers, body)
    except (asyncio.IncompleteReadError, ConnectionError) as error:
        body += getattr(error, "partial", b"")
        return _answer(int(lines[0].split()[1]), headers, bytes(body), is_whole=False)
    return _answer(int(lines[0].split()[1]), headers, bytes(body), is_whole=True)


def _answer(status: int, headers: dict[str, str], body: bytes, *, is_whole: bool) -> Answer:
    return Answer(status, headers, body, is_whole, asyncio.get_running_loop().time())


async def _read_body(reader: asyncio.StreamReader, headers: dict[str, str], body: bytearray) -> None:
    if headers.get("transfer-encoding") == "chunked":
        while size := int(await reader.readuntil(b"\r\n"), 16):
            body += (await reader.readexactly(size + 2))[:-2]
        await reader.readuntil(b"\r\n")
    elif "content-length" in headers:
        body += await reader.readexactly(int(headers["content-length"]))
    else:
        body += await reader.read()


class Verdict(NamedTuple):
    """`kind` is `answer`, `error` (before the first byte), `broken` (an error event behind content) or `fault`."""

    kind: str
    what: str = ""


def judge(answer: Answer, surface: str, *, is_stream: bool, text: str, has_garbage: bool = False) -> Verdict:
    """Whether a client could do with this: one whole right answer, or one clear error.

    Shape: `has_garbage` passes over events without meaning, where a vendor sent such: they are relayed as they came.
    """
    if not answer.is_whole:
        return Verdict("fault", f"cut off: status {answer.status}, {answer.body[-80:]!r}")
    try:
        if answer.status != 200:
            return Verdict("error", _error_code(json.loads(answer.body), surface))
        if not is_stream:
            return _judged_text(_text(surface, json.loads(answer.body)), text)
        return _judged_stream(_events(answer.body, has_garbage=has_garbage), surface, text)
    except (ValueError, KeyError, IndexError, TypeError, AttributeError) as error:
        shown = answer.body if len(answer.body) < 400 else answer.body[-400:]
        return Verdict("fault", f"{type(error).__name__}: {error} in status {answer.status}: {shown!r}")


def _judged_text(said: str, text: str) -> Verdict:
    return Verdict("answer") if said == text else Verdict("fault", f"another text: {said[:120]!r}")


def _error_code(document: dict[str, Any], surface: str) -> str:
    """The code of an error in the dialect called. Raises: ValueError, KeyError where it is not one."""
    if surface == "messages" and document["type"] != "error":
        raise ValueError("not an error of this dialect")
    error = document["error"]
    if not str(error["code"]).startswith("PL-") or not error["message"] or not error["type"]:
        raise ValueError("an error without code, type or message")
    return str(error["code"])


def _text(surface: str, document: dict[str, Any]) -> str:
    match surface:
        case "chat":
            choice = document["choices"][0]
            if choice["finish_reason"] != "stop":
                raise ValueError("no finish")
            return str(choice["message"]["content"])
        case "responses":
            if document["status"] != "completed":
                raise ValueError("not completed")
            parts = [part for item in document["output"] if item["type"] == "message" for part in item["content"]]
        case _:
            if document["stop_reason"] != "end_turn":
                raise ValueError("no stop")
            parts = [part for part in document["content"] if part["type"] == "text"]
    return "".join(part["text"] for part in parts)


def _events(body: bytes, *, has_garbage: bool) -> list[Any]:
    """The data of every event: JSON, or the word that ends a Chat stream. Raises: ValueError."""
    found: list[Any] = []
    text = body.decode().replace("\r\n", "\n").replace("\r", "\n")
    if text and not text.endswith("\n\n"):
        raise ValueError("the last event has no end")
    for block in text.split("\n\n"):
        data = [line[5:].lstrip() for line in block.split("\n") if line.startswith("data:")]
        if data:
            joined = "\n".join(data)
            found.append(joined if joined == "[DONE]" else _json(joined, has_garbage=has_garbage))
    return [event for event in found if not has_garbage or _has_meaning(event)]


def _json(text: str, *, has_garbage: bool) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        if has_garbage:
            return None
        raise


def _has_meaning(event: Any) -> bool:
    if event == "[DONE]":
        return True
    if not isinstance(event, dict):
        return False
    choices, delta = event.get("choices"), event.get("delta")
    if isinstance(choices, list):
        return all(isinstance(one, dict) and isinstance(one.get("delta"), dict) for one in choices)
    is_typed = isinstance(event.get("type"), str) and isinstance(delta, dict | str | None)
    return is_typed or isinstance(event.get("error"), dict)


def _judged_stream(events: Sequence[Any], surface: str, text: str) -> Verdict:
    parts, code, finishes = _TOLD[surface](events)
    said = "".join(parts)
    if code is None:
        if finishes != 1:
            return Verdict("fault", f"{finishes} ends of the stream, said {said[-40:]!r}")
        return _judged_text(said, text)
    if finishes or not text.startswith(said):
        return Verdict("fault", f"an error behind {finishes} ends and {said[-60:]!r}")
    return Verdict("broken", code)


_Told = tuple[list[str], str | None, int]


def _chat(events: Sequence[Any]) -> _Told:
    parts: list[str] = []
    finishes = 0
    for position, event in enumerate(events):
        if event == "[DONE]":
            if position != len(events) - 1:
                raise ValueError("events behind the end")
        elif "error" in event:
            if position != len(events) - 1:
                raise ValueError("events behind an error")
            return parts, _error_code(event, "chat"), finishes
        else:
            for choice in event.get("choices", ()):
                parts.append(choice.get("delta", {}).get("content") or "")
                finishes += choice.get("finish_reason") is not None
    return parts, None, finishes


def _messages(events: Sequence[Any]) -> _Told:
    parts: list[str] = []
    finishes = 0
    for position, event in enumerate(events):
        is_last = position == len(events) - 1
        match event.get("type"):
            case "error":
                if not is_last:
                    raise ValueError("events behind an error")
                return parts, _error_code(event, "messages"), finishes
            case "content_block_delta":
                parts.append(event["delta"].get("text") or "")
            case "message_delta":
                finishes += event["delta"].get("stop_reason") is not None
            case "message_stop" if not is_last:
                raise ValueError("events behind the end")
    return parts, None, finishes


def _responses(events: Sequence[Any]) -> _Told:
    parts: list[str] = []
    finishes = 0
    for position, event in enumerate(events):
        is_last = position == len(events) - 1
        match event.get("type"):
            case "response.output_text.delta":
                parts.append(event["delta"])
            case "response.completed":
                finishes += 1
            case "response.failed":
                if not is_last or event["response"]["status"] != "failed":
                    raise ValueError("events behind a failure")
                return parts, str(event["response"]["error"]["code"]), finishes
    return parts, None, finishes


_TOLD = {"chat": _chat, "messages": _messages, "responses": _responses}
