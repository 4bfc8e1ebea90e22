"""The control plane's HTTP client: small, bounded, free calls that read what an account has left.

A credential travels only to hosts it is bound to; a redirect to another origin is not followed; an answer is read up to
a size cap; nothing of headers or bodies is logged. The HTTP library is imported by the first call.
"""

import asyncio
import logging
import random
import threading
import time
from collections.abc import Mapping
from datetime import datetime
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import msgspec
from msgspec import Struct

from perilune import __version__
from perilune.core.addresses import base_url_fault, host_of
from perilune.core.errors import ConfigError, CredentialError, UnreachableError
from perilune.core.secret import Secret

if TYPE_CHECKING:
    from perilune.net.wire import Wire

USER_AGENT = f"perilune/{__version__}"
KIB = 1024
_RETRIED = frozenset({408, 502, 503, 504})
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


class Call(Struct, frozen=True, kw_only=True):
    """One call and its bounds.

    Shape: `is_url_secret`: the path holds a token and is not logged. `address` is where the host was found and is
    connected to instead of looking the name up again.
    """

    method: str
    url: str
    headers: dict[str, str]
    body: bytes | None
    connect_timeout_s: float
    timeout_s: float
    max_bytes: int
    retry: bool
    is_url_secret: bool = False
    address: str | None = None


class ControlClient:
    """One reusable client. `upstream` replaces every official host (see `upstream_map`)."""

    def __init__(
        self,
        *,
        upstream: str | None = None,
        retry_pause_s: tuple[float, float] = (0.5, 1.5),
        user_agent: str = USER_AGENT,
    ) -> None:
        self._upstream = upstream
        self._retry_pause_s = retry_pause_s
        self._user_agent = user_agent
        self._opening = threading.Lock()
        self._wire: Wire | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close all connections."""
        if self._wire is not None:
            await self._wire.aclose()

    def open(self) -> "Wire":
        """Get ready for calls: imports the HTTP library and reads the trusted certificates. May run in any thread."""
        with self._opening:
            if self._wire is None:
                from perilune.net.wire import Wire

                self._wire = Wire(self._upstream, self._user_agent)
            return self._wire

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
            Call(
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
        return await self.send_json(
            "POST",
            url,
            document,
            secret=secret,
            headers=headers,
            connect_timeout_s=connect_timeout_s,
            timeout_s=timeout_s,
            max_bytes=max_bytes,
            retry=retry,
        )

    async def send_json(
        self,
        method: str,
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
        """The same with any method."""
        return await self._run(
            Call(
                method=method,
                url=url,
                headers={"Content-Type": "application/json", **_headers(url, secret, headers)},
                body=msgspec.json.encode(document),
                connect_timeout_s=connect_timeout_s,
                timeout_s=timeout_s,
                max_bytes=max_bytes,
                retry=retry,
            )
        )

    async def post_once(
        self,
        url: str,
        body: bytes,
        *,
        headers: Mapping[str, str],
        is_listed: bool = False,
        address: str | None = None,
        connect_timeout_s: float = 5,
        timeout_s: float = 10,
        max_bytes: int = 64 * KIB,
    ) -> ControlAnswer:
        """Send a body to an address that may hold a token itself, without retry. Raises as `get`.

        `is_listed`: the user has listed the address, plain http may leave this computer for it. `address` is the one
        that was checked for the host of `url`; the connection goes to it and to no other.
        """
        return await self._run(
            Call(
                method="POST",
                url=url,
                headers=_headers(url, None, headers, is_listed=is_listed),
                body=body,
                connect_timeout_s=connect_timeout_s,
                timeout_s=timeout_s,
                max_bytes=max_bytes,
                retry=False,
                is_url_secret=True,
                address=address,
            )
        )

    async def _run(self, call: Call) -> ControlAnswer:
        self.open()
        started = time.perf_counter()
        whole_s = call.timeout_s + (_RETRY_GRACE_S if call.retry else 0)
        try:
            async with asyncio.timeout(whole_s):
                answer, tries = await self._with_one_retry(call)
        except TimeoutError as error:
            from perilune.net import faults

            raise faults.named(error, call.url, limit_s=call.timeout_s) from error
        took_ms = round((time.perf_counter() - started) * 1000)
        finished = msgspec.structs.replace(answer, took_ms=took_ms, tries=tries)
        _log.debug(
            "%s %s status=%d ms=%d bytes=%d id=%s",
            call.method, _logged(call), finished.status, took_ms, len(finished.body), finished.request_id,
        )  # fmt: skip
        return finished

    async def _with_one_retry(self, call: Call) -> tuple[ControlAnswer, int]:
        wire = self.open()
        try:
            answer = await wire.once(call)
            if not call.retry or answer.status not in _RETRIED:
                return answer, 1
        except UnreachableError as error:
            from perilune.net.wire import is_connecting_fault

            if not call.retry or not is_connecting_fault(error):
                raise
        await asyncio.sleep(random.uniform(*self._retry_pause_s))  # noqa: S311 - spreads load, guards nothing
        return await wire.once(call), 2


def _logged(call: Call) -> str:
    return host_of(call.url) if call.is_url_secret else call.url.partition("?")[0]


def _headers(
    url: str, secret: BoundSecret | None, extra: Mapping[str, str] | None, *, is_listed: bool = False
) -> dict[str, str]:
    fault = base_url_fault(url.partition("?")[0])
    if fault is not None and not (fault == "scheme" and is_listed):
        raise ConfigError.of("PL-CONFIG-BASEURL", variant=fault, host=host_of(url) if fault == "scheme" else "")
    headers = dict(extra or {})
    if secret is not None:
        if host_of(url) not in secret.hosts:
            raise CredentialError.of("PL-401-HOST", variant="bound", host=host_of(url), bound=", ".join(secret.hosts))
        headers["Authorization"] = f"Bearer {secret.secret.reveal()}"
    return headers
