"""The gateway's surface: a bare ASGI callable, dispatched by path before anything else looks at a request."""

import asyncio
import logging
import traceback
from collections.abc import Callable, Coroutine
from fnmatch import fnmatchcase
from pathlib import PurePath

import msgspec

from perilune.core.errors import Problem, RequestError
from perilune.dialects.errors import ErrorKind
from perilune.dialects.form import Dialect
from perilune.dialects.head import Body
from perilune.gateway import paths
from perilune.gateway.answering import JSON_TYPE, client_error, error_reply
from perilune.gateway.call import Call, Reply
from perilune.gateway.core import Core
from perilune.gateway.counting import TokenCounter
from perilune.gateway.door import Caller, Door, lowered
from perilune.gateway.intake import App, ClientGone, Receive, Scope, Send, Watch, read_body, read_head
from perilune.gateway.keepalive import answer_kept_alive, event_of
from perilune.gateway.key_limits import KeyGate
from perilune.gateway.listing import list_models
from perilune.gateway.paths import FRONTS, Endpoint
from perilune.gateway.sending import send_plainly, send_reply
from perilune.gateway.stream import AnswerStream

_log = logging.getLogger(__name__)
_BASE_ANSWER = msgspec.json.encode(
    {
        "service": "perilune",
        "surfaces": {
            "chat": "/v1/chat/completions",
            "responses": "/v1/responses",
            "messages": "/v1/messages",
        },
    }
)
_KINDS = {
    "PL-GW-KEY": ErrorKind.KEY,
    "PL-GW-MODEL": ErrorKind.NOT_ALLOWED,
    "PL-WEB-HOST": ErrorKind.NOT_ALLOWED,
    "PL-WEB-ORIGIN": ErrorKind.NOT_ALLOWED,
    "PL-400-BODY": ErrorKind.TOO_LARGE,
}


class Surface:
    """Answers the gateway's paths; every other request goes to the fallback application."""

    def __init__(
        self, core: Core, door: Callable[[], Door], counter: TokenCounter, fallback: App | None = None
    ) -> None:
        self._core = core
        self._door = door
        self._counter = counter
        self._fallback = fallback
        self._gate = KeyGate(core, self._limited_now)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One ASGI request."""
        if scope["type"] == "http":
            path: str = scope["path"]
            if path in paths.BASES and scope["method"] in ("HEAD", "OPTIONS"):
                await send_plainly(send, Reply(status=200, headers=[]))
                return
            if path != "/" and paths.is_ours(path):
                await self._answer(scope, path, receive, send)
                return
        if self._fallback is not None:
            await self._fallback(scope, receive, send)
        elif scope["type"] == "http":
            await send_plainly(send, self._not_found(scope["path"]))
        elif scope["type"] == "lifespan":
            await _lifespan(receive, send)

    async def _answer(self, scope: Scope, path: str, receive: Receive, send: Send) -> None:
        try:
            taken = await self._taken(scope, path, receive)
        except ClientGone:
            return
        if isinstance(taken, Reply):
            await send_plainly(send, taken)
        else:
            await self.go_on(taken, self._gate.answer(taken), scope, receive, send)

    async def go_on(
        self, call: Call, reply: Coroutine[object, object, Reply], scope: Scope, receive: Receive, send: Send
    ) -> None:
        """Send the reply to a call, unless its client leaves before."""
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("a request runs in a task")
        watch = Watch(scope, receive, task)
        try:
            answered = await self._answered(call, reply, send)
            if answered is not None:
                await send_reply(scope, send, answered)
        except asyncio.CancelledError:
            if not watch.has_left:
                raise
            task.uncancel()
        finally:
            watch.stop()

    async def _answered(self, call: Call, reply: Coroutine[object, object, Reply], send: Send) -> Reply | None:
        """The core's reply; a fault of ours is one too, in the dialect called, and ends nothing but this request."""
        after_s = self._core.setup.config.keepalive_after_s
        asked = self._asked(call, reply)
        try:
            if after_s and b'"stream"' in call.body and _wants_stream(call.body):
                return await answer_kept_alive(asked, call.front, send, after_s)
            return await asked
        except Exception as error:  # noqa: BLE001 one broken request takes no other with it
            return self.fault(call, error)

    def fault(self, call: Call, error: Exception) -> Reply:
        """The reply to a request that met a fault of ours."""
        _log.error("a request met a fault of ours: %s at %s", type(error).__name__, _place_of(error))
        problem = Problem(code="PL-BUG", facts={"message": type(error).__name__})
        return self._refused(call.front, problem, ErrorKind.BUSY, status=500)

    async def _asked(self, call: Call, coming: Coroutine[object, object, Reply]) -> Reply:
        reply = await coming
        if call.limits is not None and self._core.services.purse.is_soft(call.limits):
            reply.headers.append(("x-perilune-budget", "soft"))
        self.end_with_key(call, reply)
        return reply

    def end_with_key(self, call: Call, reply: Reply) -> None:
        """The stream of a key ends early when the key is revoked together with what it runs."""
        key_id, stream = call.key_id, reply.chunks
        if key_id is None or not isinstance(stream, AnswerStream):
            return

        def ended() -> bytes | None:
            if not self._door().has_ended(key_id):
                return None
            problem = Problem(code="PL-GW-KEY", variant="ENDED")
            return event_of(call.front, self._refused(call.front, problem, ErrorKind.KEY))

        stream.until = ended

    async def _taken(self, scope: Scope, path: str, receive: Receive) -> Call | Reply:
        """The call that a request is, or the reply that it gets at once."""
        dialect = paths.dialect_of(path)
        headers = read_head(scope)
        if isinstance(headers, int):
            problem = Problem(code="PL-BODY-INVALID", variant="head")
            return self._refused(dialect, problem, ErrorKind.BAD_REQUEST, status=headers)
        door = self._door()
        wrong = door.refuse_origin(headers)
        if wrong is not None:
            return self._refused(dialect, wrong, _KINDS[wrong.code])
        endpoint, rest = paths.known(path)
        if endpoint is None:
            return self._base(scope, path)
        caller = door.caller(headers)
        if isinstance(caller, Problem):
            return self._refused(dialect, caller, _KINDS[caller.code])
        if endpoint is Endpoint.MODELS:
            return self._models(dialect, rest)
        if scope["method"] != "POST":
            return self._not_found(path, status=405)
        if headers.get("content-encoding", "identity") not in ("", "identity"):
            problem = Problem(code="PL-BODY-INVALID", variant="gzip")
            return self._refused(dialect, problem, ErrorKind.BAD_REQUEST, status=415)
        body = await read_body(receive, headers, self._core.setup.config.body_max)
        if isinstance(body, Problem):
            return self._refused(dialect, body, ErrorKind.TOO_LARGE)
        if endpoint in (Endpoint.COUNT, Endpoint.ESTIMATE):
            return await self._count(endpoint, body)
        call = Call(
            front=FRONTS[endpoint],
            body=body,
            headers=headers,
            owner=caller.owner,
            key_id=caller.key_id,
            limits=caller.limits,
            priority=lowered(caller.priority, headers.get("x-perilune-priority")),
        )
        return self._limited(call, caller)

    def _limited(self, call: Call, caller: Caller) -> Call | Reply:
        """A key may be limited to models and routes; the first of its routes that matches is asked."""
        if caller.models is None and caller.routes is None:
            return call
        try:
            model = Body(call.body).head.model
        except RequestError as error:
            return self._refused(call.front, error.problem, ErrorKind.BAD_REQUEST)
        route = self._core.setup.routes.match(model)
        allowed = caller.models is None or any(fnmatchcase(model, glob) for glob in caller.models)
        if allowed and (caller.routes is None or (route is not None and route.name in caller.routes)):
            return call
        limits = ", ".join([*(caller.models or ()), *(caller.routes or ())])
        facts: dict[str, object] = {"key": caller.owner, "model": model[:200], "models": limits}
        return self._refused(call.front, Problem(code="PL-GW-MODEL", facts=facts), ErrorKind.NOT_ALLOWED)

    def _limited_now(self, dialect: Dialect, problem: Problem, kind: ErrorKind, retry_after_s: int) -> Reply:
        self._core.services.counters.turn_away(problem.code)
        voice = self._core.services.voice(self._core.setup.language)
        return error_reply(dialect, client_error(voice, problem, kind, ""), retry_after_s=retry_after_s)

    def _models(self, dialect: Dialect, wanted: str) -> Reply:
        entries = list_models(self._core.setup.routes, self._core.services.accounts)
        if wanted:
            entry = next((one for one in entries if one["id"] == wanted), None)
            if entry is None:
                problem = Problem(code="PL-GW-ROUTE", facts={"model": wanted[:200], "routes": "/v1/models"})
                return self._refused(dialect, problem, ErrorKind.MODEL)
            return _json(entry)
        ids = [entry["id"] for entry in entries]
        ends = {"first_id": ids[0] if ids else None, "last_id": ids[-1] if ids else None, "has_more": False}
        return _json({"object": "list", "data": entries, **ends})

    async def _count(self, endpoint: Endpoint, raw: bytes) -> Reply:
        front = Dialect.MESSAGES if endpoint is Endpoint.COUNT else Dialect.CHAT
        try:
            body = Body(raw)
        except RequestError as error:
            return self._refused(front, error.problem, ErrorKind.BAD_REQUEST)
        route = self._core.setup.routes.match(body.head.model)
        slot = route.slots[0] if route is not None and route.slots else None
        tokens, source = await self._counter.count(slot, front, body)
        document = {"input_tokens": tokens} if endpoint is Endpoint.COUNT else {"data": {"total_tokens": tokens}}
        return _json(document, ("x-perilune-estimate", source))

    def _base(self, scope: Scope, path: str) -> Reply:
        if path in paths.BASES and scope["method"] == "GET":
            return Reply(status=200, headers=[JSON_TYPE], body=_BASE_ANSWER)
        return self._not_found(path)

    def _not_found(self, path: str, *, status: int | None = None) -> Reply:
        variant = "TWICE" if paths.has_version_twice(path) else "UNKNOWN"
        facts: dict[str, object] = {"path": path[:200], "nearest": paths.nearest(path)}
        problem = Problem(code="PL-404-PATH", variant=variant, facts=facts)
        return self._refused(paths.dialect_of(path), problem, ErrorKind.PATH, status=status)

    def _refused(self, dialect: Dialect, problem: Problem, kind: ErrorKind, *, status: int | None = None) -> Reply:
        self._core.services.counters.turn_away(problem.code)
        voice = self._core.services.voice(self._core.setup.language)
        return error_reply(dialect, client_error(voice, problem, kind, ""), status=status)


def _wants_stream(body: bytes) -> bool:
    try:
        return bool(Body(body).head.stream)
    except RequestError:
        return False


def _place_of(error: BaseException) -> str:
    """Files and lines of a fault, without its words: they could hold what a request held."""
    frames = traceback.extract_tb(error.__traceback__)[-6:]
    return " < ".join(f"{PurePath(frame.filename).name}:{frame.lineno}" for frame in reversed(frames))


def _json(document: object, *headers: tuple[str, str]) -> Reply:
    return Reply(status=200, headers=[JSON_TYPE, *headers], body=msgspec.json.encode(document))


async def _lifespan(receive: Receive, send: Send) -> None:
    while (await receive())["type"] != "lifespan.shutdown":
        await send({"type": "lifespan.startup.complete"})
    await send({"type": "lifespan.shutdown.complete"})
