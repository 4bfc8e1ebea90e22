"""Taking in a request over ASGI: headers as text, the body within its limits, the client's leaving noticed."""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from perilune.core.errors import Problem
from perilune.net.server import Cycle

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

MOST_HEADERS = 100
LARGEST_HEADERS = 32 * 1024
LARGEST_URL = 8 * 1024
_SLOWEST_AFTER_S = 10.0
_SLOWEST_BYTES_PER_S = 1024
_WATCH_AFTER_S = 0.075  # a client that leaves is noticed within 100 ms


class ClientGone(Exception):  # noqa: N818 an event, not a fault
    """The client closed its connection."""


def read_head(scope: Scope) -> dict[str, str] | int:
    """Headers by lower-case name; or the status for a head above its limits (431, 414) or of two lengths (400).

    Shape: of repeated headers the last counts.
    """
    raw = scope["headers"]
    headers: dict[str, str] = {}
    size = 0
    for name, value in raw:
        size += len(name) + len(value)
        headers[name.decode("latin-1")] = value.decode("latin-1")
    if len(raw) > MOST_HEADERS or size > LARGEST_HEADERS:
        return 431
    if len(scope.get("raw_path") or b"") + len(scope.get("query_string") or b"") > LARGEST_URL:
        return 414
    if "content-length" in headers:
        is_twice = len(headers) != len(raw) and sum(name == b"content-length" for name, _ in raw) > 1
        if is_twice or "transfer-encoding" in headers:
            return 400
    return headers


async def read_body(receive: Receive, headers: dict[str, str], largest: int) -> bytes | Problem:
    """The whole body. Raises: ClientGone when the client leaves meanwhile."""
    declared = headers.get("content-length", "")
    if declared.isdigit() and int(declared) > largest:
        return _too_large(largest)
    message = await _next(receive)
    body: bytes = message.get("body", b"")
    if not message.get("more_body"):
        return body if len(body) <= largest else _too_large(largest)
    return await _read_rest(receive, body, largest)


async def _read_rest(receive: Receive, first: bytes, largest: int) -> bytes | Problem:
    loop = asyncio.get_running_loop()
    began, size, parts = loop.time(), len(first), [first]
    more = True
    while more:
        allowed_s = _SLOWEST_AFTER_S + size / _SLOWEST_BYTES_PER_S - (loop.time() - began)
        try:
            async with asyncio.timeout(max(allowed_s, 0)):
                message = await _next(receive)
        except TimeoutError:
            raise ClientGone from None
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        more = message.get("more_body", False)
        if size > largest:
            return _too_large(largest)
    return b"".join(parts)


async def _next(receive: Receive) -> Message:
    message = await receive()
    if message["type"] == "http.disconnect":
        raise ClientGone
    return message


def _too_large(largest: int) -> Problem:
    return Problem(code="PL-400-BODY", variant="OURS", facts={"most": f"{largest // (1024 * 1024)} MiB"})


def cycle_of(scope: Scope) -> Cycle | None:
    """The request's cycle in a server of ours; None behind another one."""
    found = scope.get("extensions", {}).get("perilune.cycle")
    return found["cycle"] if found is not None else None


class Watch:
    """Cancels the task of a request when its client leaves.

    A server of ours says so; behind another one somebody has to ask, and begins only when the answer takes a moment.
    """

    def __init__(self, scope: Scope, receive: Receive, task: "asyncio.Task[Any]") -> None:
        self._receive = receive
        self._request = task
        self._watcher: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._cycle = cycle_of(scope)
        self.has_left = False
        if self._cycle is not None:
            self._cycle.on_gone = self._left
            if self._cycle.connection is None:
                self._left()
        else:
            self._timer = asyncio.get_running_loop().call_later(_WATCH_AFTER_S, self._start)

    def stop(self) -> None:
        """The answer is out."""
        if self._cycle is not None:
            self._cycle.on_gone = None
        if self._timer is not None:
            self._timer.cancel()
        if self._watcher is not None:
            self._watcher.cancel()

    def _start(self) -> None:
        self._watcher = asyncio.ensure_future(self._wait())

    async def _wait(self) -> None:
        while True:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                break
        self._left()

    def _left(self) -> None:
        self.has_left = True
        self._request.cancel()
