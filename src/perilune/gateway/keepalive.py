"""Comment lines for a connection that would be cut while the model is silent. Off unless asked for; opt-in in 5.4.

Failover stays possible, because nothing of a model has gone out; but a final failure is then an error event behind a
200, and the headers cannot say who answered.
"""

import asyncio
import time
from collections.abc import Coroutine
from typing import Any

import msgspec

from perilune.dialects.errors import ClientError, ErrorKind, error_event, failed_relayed_response
from perilune.dialects.form import Dialect
from perilune.dialects.sse import encode_comment
from perilune.gateway.answering import STREAM_HEADERS
from perilune.gateway.call import Reply
from perilune.gateway.intake import Send

_WAITING = encode_comment(b"waiting")


async def answer_kept_alive(
    answer: Coroutine[Any, Any, Reply], front: Dialect, send: Send, after_s: float
) -> Reply | None:
    """The reply, or None when it was sent here, behind comment lines that began after so many seconds."""
    task = asyncio.ensure_future(answer)
    try:
        done, _ = await asyncio.wait((task,), timeout=after_s)
        if done:
            return task.result()
        await _begin(send)
        while not done:
            await send({"type": "http.response.body", "body": _WAITING, "more_body": True})
            done, _ = await asyncio.wait((task,), timeout=after_s)
        await _send_rest(send, front, task.result())
    finally:
        if not task.done():
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
    return None


async def _begin(send: Send) -> None:
    headers = [(name.encode(), value.encode()) for name, value in STREAM_HEADERS]
    await send({"type": "http.response.start", "status": 200, "headers": headers})


async def _send_rest(send: Send, front: Dialect, reply: Reply) -> None:
    if reply.chunks is None:
        await send({"type": "http.response.body", "body": event_of(front, reply)})
        return
    try:
        async for chunk in reply.chunks:
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
        await send({"type": "http.response.body", "body": b""})
    finally:
        await reply.chunks.aclose()


def event_of(front: Dialect, reply: Reply) -> bytes:
    """A whole streamed answer as it is; an error as the last event of a broken stream."""
    if reply.status == 200:
        return reply.body
    fields = msgspec.json.decode(reply.body)["error"]
    error = ClientError(
        kind=ErrorKind.BUSY, code=fields["code"], message=fields["message"], why=fields["why"], fix=tuple(fields["fix"])
    )
    if front is Dialect.RESPONSES:
        return failed_relayed_response(error, response_id="", model="", created=int(time.time()), number=0)
    return error_event(front, error)
