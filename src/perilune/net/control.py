"""The control plane's HTTP client: small, bounded, free calls that read what an account has left.

A credential travels only to hosts it is bound to; a redirect to another origin is not followed; an answer is read up to
a size cap; nothing of headers or bodies is logged.
"""

import asyncio
import logging
import random
import time
from collections.abc import Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime
from types import TracebackType
from typing import Any, Self

import httpx2
import msgspec
from msgspec import Struct

from perilune import __version__
from perilune.core.addresses import base_url_fault, host_of, origin_of
from perilune.core.errors import AnswerError, ConfigError, CredentialError, PeriluneError, UnreachableError
from perilune.core.instants import parse_instant
from perilune.core.secret import Secret
from perilune.net import faults
from perilune.net.certificate import issuer_seen
from perilune.net.upstream_map import dialled, original

USER_AGENT = f"perilune/{__version__}"
KIB = 1024
_RETRIED = frozenset({408, 502, 503, 504})
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_RETRY_GRACE_S = 2.0
_REQUEST_IDS = ("msh-request-id", "x-msh-trace-id", "x-trace-id", "x-request-id")
_log = logging.getLogger(__name__)


class BoundSecret(Struct, frozen=True):
    """A credential and the hosts (`host` or `host:port`) it may be sent to."""

    secret: Secret
    hosts: tuple[str, ...]


class ControlAnswer(Struct, frozen=True, kw_only=True):
    """What came back.

    Shape: `url` is the address as the caller wrote it, without query; header names are lower case.
    Units: `took_ms` milliseconds from the first byte sent to the last read, retries included.
    """

    url: str
    status: int
    headers: dict[str, str]
    body: bytes
    took_ms: int
    server_date: datetime | None = None
    tries: int = 1

    @property
    def request_id(self) -> str | None:
        return next((self.headers[name] for name in _REQUEST_IDS if name in self.headers), None)


class _Call(Struct, frozen=True, kw_only=True):
    method: str
    url: str
    headers: dict[str, str]
    body: bytes | None
    connect_timeout_s: float
    timeout_s: float
    max_bytes: int
    retry: bool


class ControlClient:
    """One reusable client. `upstream` replaces every official host (see `upstream_map`)."""

    def __init__(
        self,
        *,
        upstream: str | None = None,
        retry_pause_s: tuple[float, float] = (0.5, 1.5),
        user_agent: str = USER_AGENT,
    ) -> None:
        for name in ("httpx2", "httpcore2"):
            logging.getLogger(name).setLevel(logging.WARNING)  # they write addresses with query strings
        self._upstream = upstream
        self._retry_pause_s = retry_pause_s
        direct = {f"all://{host}": None for host in ("127.0.0.1", "localhost", "[::1]")}
        self._http = httpx2.AsyncClient(
            headers={"User-Agent": user_agent, "Accept": "application/json"}, follow_redirects=False, mounts=direct
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close all connections."""
        await self._http.aclose()

    async def get(
        self,
        url: str,
        *,
        secret: BoundSecret | None = None,
        headers: Mapping[str, str] | None = None,
        connect_timeout_s: float = 5,
        timeout_s: float = 8,
        max_bytes: int = 256 * KIB,
        retry: bool = True,
    ) -> ControlAnswer:
        """Read one address; any status is an answer.

        Raises: PL-401-HOST and PL-CONFIG-BASEURL before anything is sent; PL-NET-… by layer; PL-PARSE-SIZE.
        """
        return await self._run(
            _Call(
                method="GET",
                url=url,
                headers=_headers(url, secret, headers),
                body=None,
                connect_timeout_s=connect_timeout_s,
                timeout_s=timeout_s,
                max_bytes=max_bytes,
                retry=retry,
            )
        )

    async def post_json(
        self,
        url: str,
        document: Any,
        *,
        secret: BoundSecret | None = None,
        headers: Mapping[str, str] | None = None,
        connect_timeout_s: float = 5,
        timeout_s: float = 8,
        max_bytes: int = 256 * KIB,
        retry: bool = True,
    ) -> ControlAnswer:
        """Send one JSON document; any status is an answer. Raises as `get`."""
        return await self._run(
            _Call(
                method="POST",
                url=url,
                headers={"Content-Type": "application/json", **_headers(url, secret, headers)},
                body=msgspec.json.encode(document),
                connect_timeout_s=connect_timeout_s,
                timeout_s=timeout_s,
                max_bytes=max_bytes,
                retry=retry,
            )
        )

    async def _run(self, call: _Call) -> ControlAnswer:
        started = time.perf_counter()
        whole_s = call.timeout_s + (_RETRY_GRACE_S if call.retry else 0)
        try:
            async with asyncio.timeout(whole_s):
                answer, tries = await self._with_one_retry(call)
        except TimeoutError as error:
            raise faults.named(error, call.url, limit_s=call.timeout_s) from error
        took_ms = round((time.perf_counter() - started) * 1000)
        finished = msgspec.structs.replace(answer, took_ms=took_ms, tries=tries)
        _log.debug(
            "%s %s status=%d ms=%d bytes=%d id=%s",
            call.method, call.url.partition("?")[0], finished.status, took_ms, len(finished.body), finished.request_id,
        )  # fmt: skip
        return finished

    async def _with_one_retry(self, call: _Call) -> tuple[ControlAnswer, int]:
        try:
            answer = await self._once(call)
            if not call.retry or answer.status not in _RETRIED:
                return answer, 1
        except UnreachableError as error:
            if not call.retry or not _is_connecting_fault(error):
                raise
        await asyncio.sleep(random.uniform(*self._retry_pause_s))  # noqa: S311 - spreads load, guards nothing
        return await self._once(call), 2

    async def _once(self, call: _Call) -> ControlAnswer:
        try:
            async with asyncio.timeout(call.timeout_s):
                return await self._followed(call)
        except (httpx2.TransportError, TimeoutError) as error:
            limit_s = call.connect_timeout_s if isinstance(error, httpx2.ConnectTimeout) else call.timeout_s
            raise faults.named(error, call.url, limit_s=limit_s, issuer=await self._issuer(error, call.url)) from error
        except httpx2.DecodingError as error:
            raise AnswerError.of("PL-PARSE", variant="coding", host=host_of(call.url)) from error

    async def _followed(self, call: _Call) -> ControlAnswer:
        answer = await self._exchange(call, call.url)
        if not 300 <= answer.status < 400:
            return answer
        target = self._same_origin_target(call, answer)
        if target is None:
            raise _redirected(call.url)
        answer = await self._exchange(call, target)
        if 300 <= answer.status < 400:
            raise _redirected(call.url)
        return answer

    def _same_origin_target(self, call: _Call, answer: ControlAnswer) -> str | None:
        location = answer.headers.get("location")
        keeps_method = call.method == "GET" or answer.status in (307, 308)
        if location is None or answer.status not in _REDIRECTS or not keeps_method:
            return None
        try:
            target = original(str(httpx2.URL(call.url).join(location)), self._upstream)
            return target if origin_of(target) == origin_of(call.url) and "@" not in target else None
        except (httpx2.InvalidURL, ValueError):
            return None

    async def _exchange(self, call: _Call, url: str) -> ControlAnswer:
        timeout = httpx2.Timeout(call.timeout_s, connect=call.connect_timeout_s)
        async with self._http.stream(
            call.method, dialled(url, self._upstream), headers=call.headers, content=call.body, timeout=timeout
        ) as response:
            body = await _capped(response, call)
            headers = {name.lower(): value for name, value in response.headers.items()}
            return ControlAnswer(
                url=call.url.partition("?")[0],
                status=response.status_code,
                headers=headers,
                body=body,
                took_ms=0,
                server_date=_server_date(headers.get("date")),
            )

    async def _issuer(self, error: BaseException, url: str) -> str | None:
        if not faults.is_untrusted_certificate(error) or faults.proxy_for(url) is not None:
            return None
        parts = httpx2.URL(dialled(url, self._upstream))
        return await issuer_seen(parts.host, parts.port or 443)


async def _capped(response: httpx2.Response, call: _Call) -> bytes:
    body = bytearray()
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) > call.max_bytes:
            if response.is_success:
                raise AnswerError.of("PL-PARSE-SIZE", host=host_of(call.url), limit=f"{call.max_bytes // KIB} KiB")
            return bytes(body[: call.max_bytes])
    return bytes(body)


def _headers(url: str, secret: BoundSecret | None, extra: Mapping[str, str] | None) -> dict[str, str]:
    fault = base_url_fault(url.partition("?")[0])
    if fault is not None:
        raise ConfigError.of("PL-CONFIG-BASEURL", variant=fault, host=host_of(url) if fault == "scheme" else "")
    headers = dict(extra or {})
    if secret is not None:
        if host_of(url) not in secret.hosts:
            raise CredentialError.of("PL-401-HOST", variant="bound", host=host_of(url), bound=", ".join(secret.hosts))
        headers["Authorization"] = f"Bearer {secret.secret.reveal()}"
    return headers


def _redirected(url: str) -> PeriluneError:
    return UnreachableError.of("PL-NET-REDIRECT", host=host_of(url))


def _is_connecting_fault(error: UnreachableError) -> bool:
    problem = error.problem
    if problem.code == "PL-NET-TIMEOUT":
        return isinstance(error.__cause__, httpx2.ConnectTimeout)
    return problem.code == "PL-NET-DNS" or (problem.code == "PL-NET-REFUSED" and problem.variant == "")


def _server_date(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        return parse_instant(parsedate_to_datetime(text))
    except ValueError:
        return None
