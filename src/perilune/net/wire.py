"""One exchange of the control plane over the HTTP library, its faults named; imported when the first call is made."""

import asyncio
import logging
import os
import ssl
from datetime import datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache

import httpx2

from perilune.core.addresses import host_of, origin_of
from perilune.core.errors import AnswerError, PeriluneError, UnreachableError
from perilune.core.instants import parse_instant
from perilune.net import faults
from perilune.net.certificate import issuer_seen
from perilune.net.control import KIB, Call, ControlAnswer
from perilune.net.upstream_map import dialled, original

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_UNCHANGED = 304


@lru_cache(maxsize=4)
def _trusted(file: str | None, folder: str | None) -> ssl.SSLContext:
    """The certificates that the environment names, read once a process: reading them takes longer than most calls."""
    return httpx2.create_ssl_context()


class Wire:
    """Open connections. `upstream` replaces every official host."""

    def __init__(self, upstream: str | None, user_agent: str) -> None:
        for name in ("httpx2", "httpcore2"):
            logging.getLogger(name).setLevel(logging.WARNING)  # they write addresses with query strings
        self._upstream = upstream
        direct = {f"all://{host}": None for host in ("127.0.0.1", "localhost", "[::1]")}
        self._http = httpx2.AsyncClient(
            headers={"User-Agent": user_agent, "Accept": "application/json"},
            follow_redirects=False,
            mounts=direct,
            verify=_trusted(os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR")),
        )

    async def aclose(self) -> None:
        """Close all connections."""
        await self._http.aclose()

    async def once(self, call: Call) -> ControlAnswer:
        """Call once, following one redirect within the origin. Raises: PL-NET-… by layer; PL-PARSE."""
        try:
            async with asyncio.timeout(call.timeout_s):
                return await self._followed(call)
        except (httpx2.TransportError, TimeoutError) as error:
            limit_s = call.connect_timeout_s if isinstance(error, httpx2.ConnectTimeout) else call.timeout_s
            raise faults.named(error, call.url, limit_s=limit_s, issuer=await self._issuer(error, call.url)) from error
        except httpx2.DecodingError as error:
            raise AnswerError.of("PL-PARSE", variant="coding", host=host_of(call.url)) from error

    async def _followed(self, call: Call) -> ControlAnswer:
        answer = await self._exchange(call, call.url)
        if not 300 <= answer.status < 400 or answer.status == _UNCHANGED:
            return answer
        target = self._same_origin_target(call, answer)
        if target is None:
            raise _redirected(call.url)
        answer = await self._exchange(call, target)
        if 300 <= answer.status < 400:
            raise _redirected(call.url)
        return answer

    def _same_origin_target(self, call: Call, answer: ControlAnswer) -> str | None:
        location = answer.headers.get("location")
        keeps_method = call.method == "GET" or answer.status in (307, 308)
        if location is None or answer.status not in _REDIRECTS or not keeps_method:
            return None
        try:
            target = original(str(httpx2.URL(call.url).join(location)), self._upstream)
            return target if origin_of(target) == origin_of(call.url) and "@" not in target else None
        except (httpx2.InvalidURL, ValueError):
            return None

    async def _exchange(self, call: Call, url: str) -> ControlAnswer:
        timeout = httpx2.Timeout(call.timeout_s, connect=call.connect_timeout_s)
        target, headers, extensions = _directed(dialled(url, self._upstream), call)
        async with self._http.stream(
            call.method, target, headers=headers, content=call.body, timeout=timeout, extensions=extensions
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


def _directed(url: str, call: Call) -> tuple[httpx2.URL, dict[str, str], dict[str, str]]:
    """Where a call goes: to the address that was checked, under the name that was asked for."""
    target = httpx2.URL(url)
    if call.address is None or target.host == call.address:
        return target, call.headers, {}
    named = {**call.headers, "Host": target.netloc.decode("ascii")}
    return target.copy_with(host=call.address), named, {"sni_hostname": target.host}


async def _capped(response: httpx2.Response, call: Call) -> bytes:
    body = bytearray()
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) > call.max_bytes:
            if response.is_success:
                raise AnswerError.of("PL-PARSE-SIZE", host=host_of(call.url), limit=f"{call.max_bytes // KIB} KiB")
            return bytes(body[: call.max_bytes])
    return bytes(body)


def _redirected(url: str) -> PeriluneError:
    return UnreachableError.of("PL-NET-REDIRECT", host=host_of(url))


def is_connecting_fault(error: UnreachableError) -> bool:
    """True when nothing of the request can have arrived."""
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
