"""The forges over HTTP: `/github`, `/gitlab`, `/gitea`, APIs and git itself; `/_forge/` is the control surface."""

import asyncio
import base64
import contextlib
import logging
import re
from collections.abc import Callable, Mapping
from datetime import timedelta
from urllib.parse import unquote

from perilune.sandbox.faults import Fault
from perilune.sandbox.forge import gitea, github, github_more, gitlab
from perilune.sandbox.forge.answers import Asked, ForgeRefusal, Route
from perilune.sandbox.forge.backend import serve_git
from perilune.sandbox.forge.control import PREFIX, control
from perilune.sandbox.forge.faults import CallFault
from perilune.sandbox.forge.hooks import Hooks
from perilune.sandbox.forge.journal import Entry
from perilune.sandbox.forge.state import Dialect, Forge, User
from perilune.sandbox.http.delivery import Delivery
from perilune.sandbox.http.protocol import Connection
from perilune.sandbox.http.reply import Reply
from perilune.sandbox.http.request import Request

log = logging.getLogger(__name__)
_APIS: Mapping[str, tuple[Dialect, str]] = {
    "/github/api/v3": ("github", ""), "/github/api/graphql": ("github", "/graphql"), "/api.github.com": ("github", ""),
    "/gitlab/api/v4": ("gitlab", ""), "/gitlab.com/api/v4": ("gitlab", ""),
    "/gitea/api/v1": ("gitea", ""), "/gitea.com/api/v1": ("gitea", ""),
}  # fmt: skip
_GIT = re.compile(r"/(github|gitlab|gitea)(?:\.com)?/(.+?)\.git/(.+)")
_TABLES: dict[Dialect, Callable[[], list[Route]]] = {
    "github": lambda: github.routes(github_more.more), "gitlab": gitlab.routes, "gitea": gitea.routes,
}  # fmt: skip
_HOUR = timedelta(hours=1)


class ForgeApp:
    """Answers for the forges it was given, one of each dialect at most."""

    def __init__(self, forges: Mapping[Dialect, Forge]) -> None:
        self.forges = forges
        self.hooks = Hooks()
        self._tables = {
            dialect: [(method, re.compile(pattern), handler) for method, pattern, handler in _TABLES[dialect]()]
            for dialect in forges
        }
        self._wrote_at: dict[str, object] = {}
        self._used: dict[str, int] = {}

    def serves(self, path: str) -> bool:
        """Whether a path is one of a forge."""
        return path.startswith(PREFIX) or _GIT.match(path) is not None or any(path.startswith(one) for one in _APIS)

    def strikes_head(self, request: Request) -> bool:
        return False

    async def respond(self, request: Request, wire: Connection) -> None:
        """Writes the answer; the work is done in a thread, as it calls git."""
        reply = await asyncio.to_thread(self._reply, request)
        delivery = Delivery(reply, wire, hold=_never, is_head=request.method == "HEAD")
        with contextlib.suppress(ConnectionResetError):
            await delivery.run()

    def _reply(self, request: Request) -> Reply:
        try:
            return self._routed(request)
        except Exception:  # the loop boundary of one request: a fault of ours is answered and logged
            log.exception("the forge failed on %s %s", request.method, request.path)
            return Reply.text("the played forge itself failed; see its log", 500)

    def _routed(self, request: Request) -> Reply:
        if request.path.startswith(PREFIX):
            return control(self.forges, self.hooks, request)
        over_git = _GIT.match(request.path)
        if over_git is not None:
            return self._git(over_git[1], unquote(over_git[2]), over_git[3], request)
        for prefix, (dialect, replaced) in _APIS.items():
            if request.path.startswith(prefix) and dialect in self.forges:
                return self._api(self.forges[dialect], replaced + request.path[len(prefix) :], request)
        return Reply.text("404 page not found", 404)

    def _api(self, forge: Forge, path: str, request: Request) -> Reply:
        user = forge.by_token(token_of(request))
        entry = Entry(
            number=0, at=forge.clock.now(), method=request.method, path=path, query=request.query,
            who=user.login if user is not None else "", body=request.body.decode(errors="replace"),
        )  # fmt: skip
        with forge.lock:
            forge.journal.add(entry)
            self._notice_pushes(forge)
            fault = forge.faults.take(request.method, path)
            entry.fault = fault is not None
            if fault is None or not fault.replaces:
                reply = self._judged(forge, path, request, user)
            else:
                if fault.accepts:
                    self._judged(forge, path, request, user)
                headers = [("Content-Type", "application/json"), *fault.headers.items()]
                reply = Reply(status=fault.status, headers=headers, body=fault.body.encode())
            entry.status = reply.status
            reply.fault = _on_the_wire(fault)
            return reply

    def _judged(self, forge: Forge, path: str, request: Request, user: User | None) -> Reply:
        asked = Asked(
            forge=forge, request=request, method=request.method, path=path, user=user,
            origin=f"http://{request.header('host')}",
        )  # fmt: skip
        try:
            _check_token(request, user)
            self._limit(forge, asked)
            reply = self._handled(asked)
        except ForgeRefusal as refused:
            reply = Reply.json(refused.document, refused.status, list(refused.headers.items()))
        left = forge.behaviour.primary_limit - self._used.get(forge.dialect, 0)
        reset = int((forge.clock.now() + _HOUR).timestamp())
        for name, value in (("Limit", forge.behaviour.primary_limit), ("Remaining", max(left, 0)), ("Reset", reset)):
            prefix = "RateLimit" if forge.dialect == "gitlab" else "X-RateLimit"
            reply.put_header(f"{prefix}-{name}", str(value))
        return reply

    def _handled(self, asked: Asked) -> Reply:
        known = False
        for method, pattern, handler in self._tables[asked.forge.dialect]:
            found = pattern.fullmatch(asked.path)
            known = known or found is not None
            if found is not None and method == asked.method:
                asked.match = {name: unquote(value) for name, value in found.groupdict().items()}
                return handler(asked)
        raise ForgeRefusal(405 if known else 404, {"message": "Method Not Allowed" if known else "Not Found"})

    def _limit(self, forge: Forge, asked: Asked) -> None:
        """Primary and secondary limits. Raises: ForgeRefusal."""
        used = self._used[forge.dialect] = self._used.get(forge.dialect, 0) + 1
        if used > forge.behaviour.primary_limit:
            if forge.dialect == "gitlab":
                raise ForgeRefusal(429, {"message": "429 Too Many Requests"}, {"Retry-After": "60"})
            raise ForgeRefusal(403, {"message": "API rate limit exceeded for user."})
        is_write = asked.method != "GET" and "mutation" not in asked.path and not asked.path.endswith("/graphql")
        gap_s, now = forge.behaviour.write_gap_s, forge.clock.now()
        last = self._wrote_at.get(forge.dialect)
        if is_write and gap_s and last is not None and (now - last).total_seconds() < gap_s:  # type: ignore[operator]
            wait = forge.behaviour.secondary_wait_s
            headers = {"Retry-After": str(wait)} if wait is not None else {}
            raise ForgeRefusal(403, {"message": "You have exceeded a secondary rate limit."}, headers)
        if is_write:
            self._wrote_at[forge.dialect] = now

    def _git(self, dialect: str, path: str, rest: str, request: Request) -> Reply:
        forge = next((one for name, one in self.forges.items() if name == dialect), None)
        repository = forge.find(path) if forge is not None else None
        if forge is None or repository is None:
            return Reply.text("repository not found", 404)
        user = forge.by_token(token_of(request))
        with forge.lock:
            forge.journal.add(
                Entry(
                    number=0,
                    at=forge.clock.now(),
                    method=request.method,
                    path=f"/git/{path}/{rest}",
                    query=request.query,
                    who=user.login if user is not None else "",
                )
            )
        if not forge.behaviour.serves_git:
            return Reply.text("git is not served now", 503)
        if user is None or ("receive-pack" in request.target and repository.role(user) not in ("admin", "write")):
            return Reply(status=401, headers=[("WWW-Authenticate", 'Basic realm="forge"')], body=b"")
        reply = serve_git(repository.bare.path, f"/{rest}", request, user.login)
        with forge.lock:
            self._notice_pushes(forge)
        return reply

    def _notice_pushes(self, forge: Forge) -> None:
        for repository in forge.repositories.values():
            for pull, before in repository.refresh():
                self.hooks.pushed(forge, repository, pull, before)


def token_of(request: Request) -> str:
    """The token of a call, however the dialect's clients send it."""
    scheme, _, rest = request.header("authorization").partition(" ")
    if scheme.lower() == "basic":
        with contextlib.suppress(ValueError):
            return base64.b64decode(rest).decode(errors="replace").partition(":")[2]
    return rest.strip() or request.header("private-token")


def _check_token(request: Request, user: User | None) -> None:
    """Raises: ForgeRefusal 401 for a token that is nobody's."""
    if token_of(request) and user is None:
        raise ForgeRefusal(401, {"message": "Bad credentials"})


def _on_the_wire(fault: CallFault | None) -> Fault | None:
    if fault is None or not (fault.delay_s or fault.cut_at is not None):
        return None
    return Fault(delay_headers_s=fault.delay_s, cut_at=fault.cut_at)


def _never() -> "asyncio.Future[None]":
    return asyncio.get_running_loop().create_future()
