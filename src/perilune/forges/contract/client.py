"""One client for all forges: the credential bound to its host, pages, ETags, limits, writes one at a time."""

import asyncio
import base64
import re
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from urllib.parse import urlencode

import msgspec
from msgspec import Struct

from perilune.core.addresses import host_of
from perilune.core.decoding import decoded
from perilune.core.errors import PeriluneError, Problem, ReviewError
from perilune.core.redact import redact
from perilune.core.secret import Secret
from perilune.forges.contract.spec import ForgeSite
from perilune.net.control import BoundSecret, ControlAnswer, ControlClient

T = TypeVar("T")
Pause = Callable[[float], Awaitable[None]]

_MOST_BYTES = 16 * 1024 * 1024
_TIMEOUT_S = 30
_MOST_WAITS = 3
_LEAST_WAIT_S = 60.0
_LONGEST_WAIT_S = 900.0
_PAGE = 100
_MOST_PAGES = 60
_NEXT = re.compile(r'<([^>]+)>;\s*rel="next"')


class ForgeMeans(Struct, frozen=True, kw_only=True):
    """What an adapter works with."""

    site: ForgeSite
    control: ControlClient
    token: Secret | None
    pause: Pause = asyncio.sleep
    now: Callable[[], datetime] = lambda: datetime.now(UTC)


def git_settings(means: ForgeMeans, url: str) -> tuple[tuple[str, str], ...]:
    """Git's settings that carry the credential to this address; they go by environment, never by argument."""
    if means.token is None:
        return ()
    pair = f"{means.site.spec.git_user}:{means.token.reveal()}"
    value = base64.b64encode(pair.encode()).decode()
    return ((f"http.{url}.extraHeader", f"Authorization: Basic {value}"),)


class ForgeClient:
    """Calls of one installation with one credential."""

    def __init__(self, means: ForgeMeans) -> None:
        self.means = means
        self.site = means.site
        hosts = (host_of(means.site.base_url), host_of(means.site.api))
        self._secret = BoundSecret(means.token, hosts) if means.token is not None else None
        self._writing = asyncio.Lock()
        self._wrote_at: datetime | None = None
        self._known: dict[str, tuple[str, ControlAnswer]] = {}

    async def read(self, path: str, **query: object) -> ControlAnswer:
        """One read; an unchanged answer is not sent twice. 404 and the like are answers."""
        return await self._unless_known(self._url(path, query))

    async def _unless_known(self, url: str) -> ControlAnswer:
        tag, before = self._known.get(url, ("", None))
        answer = await self._limited("GET", url, None, {"If-None-Match": tag} if tag else {})
        if answer.status == 304 and before is not None:
            return before
        if answer.status == 200 and (etag := answer.headers.get("etag")):
            self._known[url] = (etag, answer)
        return answer

    async def all_pages(self, path: str, kind: type[T], **query: object) -> list[T]:
        """The rows of every page. Raises: ReviewError."""
        rows: list[T] = []
        url: str | None = self._url(path, {"per_page": _PAGE, "limit": _PAGE, **query})
        for _ in range(_MOST_PAGES):
            if url is None:
                break
            answer = await self._unless_known(url)
            rows += self.decoded(answer, list[kind])  # type: ignore[valid-type]
            url = self._next(answer, url)
        return rows

    def _next(self, answer: ControlAnswer, url: str) -> str | None:
        """The next page: a link, but always of our own address, so that the credential stays at home."""
        found = _NEXT.search(answer.headers.get("link", ""))
        page = re.search(r"[?&]page=(\d+)", found[1]) if found else None
        number = page[1] if page else answer.headers.get("x-next-page") or None
        if number is None:
            return None
        plain = re.sub(r"&page=\d+", "", url)
        return f"{plain}&page={number}"

    async def write(self, method: str, path: str, document: Any = None, **query: object) -> ControlAnswer:
        """One write, never at once with another. Refused, broken or done: it is not repeated."""
        async with self._writing:
            await self._keep_distance()
            try:
                return await self._limited(method, self._url(path, query), document, {})
            finally:
                self._wrote_at = self.means.now()

    async def ask(self, query: str, variables: Mapping[str, object], *, is_write: bool = False) -> dict[str, Any]:
        """A GraphQL answer, errors and all."""
        document = {"query": query, "variables": dict(variables)}
        if is_write:
            answer = await self.write("POST", self.site.graphql, document)
        else:
            answer = await self._limited("POST", self.site.graphql, document, {})
        return self.decoded(answer, dict[str, Any])

    async def _keep_distance(self) -> None:
        if self._wrote_at is None:
            return
        passed = (self.means.now() - self._wrote_at).total_seconds()
        left = self.site.spec.write_gap_s - passed
        if left > 0:
            await self.means.pause(left)

    def _url(self, path: str, query: Mapping[str, object]) -> str:
        start = path if path.startswith("http") else self.site.api + path
        return f"{start}?{urlencode({key: str(value) for key, value in query.items()})}" if query else start

    async def _limited(self, method: str, url: str, document: Any, headers: Mapping[str, str]) -> ControlAnswer:
        """One call; where the forge asks to wait, it waits and calls again: nothing of a limited call was done."""
        for turn in range(_MOST_WAITS + 1):
            answer = await self._once(method, url, document, headers)
            wait_s = wait_of(answer, self.means.now(), turn)
            if wait_s is None:
                return self._judged(answer)
            if wait_s > _LONGEST_WAIT_S or turn == _MOST_WAITS:
                retry_at = self.means.now() + timedelta(seconds=wait_s)
                raise self.error("limit", retry_at=retry_at)
            await self.means.pause(wait_s)
        raise AssertionError("the last turn raises")

    async def _once(self, method: str, url: str, document: Any, headers: Mapping[str, str]) -> ControlAnswer:
        control = self.means.control
        try:
            if method == "GET":
                return await control.get(
                    url, secret=self._secret, headers=headers, timeout_s=_TIMEOUT_S, max_bytes=_MOST_BYTES
                )
            return await control.send_json(
                method, url, document if document is not None else {}, secret=self._secret, headers=headers,
                timeout_s=_TIMEOUT_S, max_bytes=_MOST_BYTES, retry=False,
            )  # fmt: skip
        except PeriluneError as error:
            if error.problem.code.startswith(("PL-NET-", "PL-PARSE")):
                raise self.error("down", words=error.problem.code) from error
            raise

    def _judged(self, answer: ControlAnswer) -> ControlAnswer:
        if answer.status == 401:
            raise self.error("" if self._secret else "none", words=words_of(answer), status=401)
        if answer.status >= 500:
            raise self.error("down", words=words_of(answer), status=answer.status)
        return answer

    def decoded(self, answer: ControlAnswer, kind: type[T]) -> T:
        """The document of a good answer. Raises: ReviewError for a refusal or what cannot be read."""
        if answer.status >= 400:
            raise self.refused(answer)
        try:
            return decoded(answer.body, kind)
        except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
            raise self.error("down", words=str(error)[:200]) from error

    def refused(self, answer: ControlAnswer) -> ReviewError:
        """The error of a refusal that is about rights or existence."""
        variant = "missing" if answer.status == 404 else ""
        return self.error(variant, words=words_of(answer), status=answer.status)

    def error(
        self, variant: str, *, words: str | None = None, status: int = 0, retry_at: datetime | None = None
    ) -> ReviewError:
        """PL-REVIEW-FORGE for this installation."""
        facts = {
            "forge": self.site.spec.label, "host": host_of(self.site.base_url), "status": status,
            "scope": self.site.spec.token_scope, "variable": self.site.spec.token_variables[0],
        }  # fmt: skip
        problem = Problem(code="PL-REVIEW-FORGE", variant=variant, facts=facts, words=words, retry_at=retry_at)
        return ReviewError(problem)


def words_of(answer: ControlAnswer) -> str:
    """The forge's own words of a refusal, short and without secrets."""
    return redact(answer.body.decode(errors="replace"))[:600]


def wait_of(answer: ControlAnswer, now: datetime, turn: int) -> float | None:
    """Seconds the forge asks to wait, None for none: `retry-after`, else the reset, else a minute, doubled."""
    if answer.status not in (403, 429):
        return None
    headers = answer.headers
    is_spent = headers.get("x-ratelimit-remaining") == "0" or headers.get("ratelimit-remaining") == "0"
    is_secondary = "rate limit" in answer.body[:2000].decode(errors="replace").lower()
    if answer.status == 403 and not (is_spent or is_secondary or "retry-after" in headers):
        return None
    after = headers.get("retry-after", "")
    if after.isdigit():
        return max(float(after), 1.0)
    reset = headers.get("x-ratelimit-reset") or headers.get("ratelimit-reset") or ""
    if is_spent and reset.isdigit():
        return max(float(reset) - now.timestamp(), 1.0)
    return _LEAST_WAIT_S * float(2**turn)
