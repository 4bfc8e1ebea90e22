"""Replies on their way out."""

import asyncio

from perilune.gateway.call import Reply
from perilune.gateway.intake import Scope, Send, cycle_of
from perilune.gateway.pump import head_bytes, pump_of


async def send_reply(scope: Scope, send: Send, reply: Reply) -> None:
    """Send a reply; in a server of ours a stream flows past this task, which only waits for its end."""
    cycle = cycle_of(scope)
    client = None if cycle is None else cycle.connection
    pump = pump_of(reply, client)
    if cycle is None or client is None or pump is None:
        await send_plainly(send, reply)
        return
    pump.done = asyncio.get_running_loop().create_future()
    cycle.leave_to_another()
    pump.start(head_bytes(reply, client))
    try:
        await pump.done
    except asyncio.CancelledError:
        pump.gone()
        raise


async def send_plainly(send: Send, reply: Reply) -> None:
    """Send a reply as any ASGI server takes it."""
    headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in reply.headers]
    chunks = reply.chunks
    if chunks is None:
        headers.append((b"content-length", str(len(reply.body)).encode()))
        await send({"type": "http.response.start", "status": reply.status, "headers": headers})
        await send({"type": "http.response.body", "body": reply.body})
        return
    try:
        await send({"type": "http.response.start", "status": reply.status, "headers": headers})
        async for chunk in chunks:
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
        await send({"type": "http.response.body", "body": b""})
    finally:
        await chunks.aclose()
