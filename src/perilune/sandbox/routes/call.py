"""A call: one request with everything around it that a route needs to answer."""

from datetime import datetime
from typing import Any, Literal

from msgspec import Struct

from perilune.sandbox.faults import Fault
from perilune.sandbox.http.reply import Reply
from perilune.sandbox.http.request import Request
from perilune.sandbox.journal import Recorded
from perilune.sandbox.refusals import Refusal
from perilune.sandbox.world import World

Envelope = Literal["chat", "messages", "router", "web", "plain"]


class Call(Struct, kw_only=True):
    """One request to one played host. `host` is "" for clients that point at the sandbox directly."""

    world: World
    request: Request
    host: str
    path: str
    now: datetime
    entry: Recorded
    fault: Fault

    @property
    def secret(self) -> str:
        """The credential of the request."""
        return bearer(self.request)


def bearer(request: Request) -> str:
    """The credential of a request: a bearer token, else `x-api-key`, else the bare `Authorization`."""
    authorization = request.header("authorization")
    scheme, _, rest = authorization.partition(" ")
    if scheme.lower() == "bearer":
        return rest.strip()
    return request.header("x-api-key") or authorization


def refusal_reply(call: Call, said: Refusal, envelope: Envelope) -> Reply:
    """A refusal in the envelope of the surface that was called."""
    body: dict[str, Any]
    match envelope:
        case "chat" | "plain":
            body = {"error": {"message": said.message, "type": said.kind}}
        case "messages":
            body = {"type": "error", "error": {"type": said.kind, "message": said.message}}
        case "router":
            body = {"error": {"code": said.status, "message": said.message}}
            if said.metadata is not None:
                body["error"]["metadata"] = said.metadata
        case "web":
            body = {"code": "unauthenticated", "message": "unauthenticated"}
    reply = Reply.json(body, said.status)
    for name, value in said.headers.items():
        reply.put_header(name, value)
    return reply
