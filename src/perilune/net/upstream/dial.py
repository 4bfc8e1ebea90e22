"""Dialling: names to addresses (asked again every 60 s), then the first address that answers, then TLS."""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Sequence

from perilune.net.guard import Allowed, check_target
from perilune.net.upstream.connection import Connection
from perilune.net.upstream.port import Layer, UpstreamError
from perilune.net.upstream.target import Target
from perilune.net.upstream.ticker import Ticker

DNS_KEPT_S = 60.0
_STAGGER_S = 0.25

_Address = tuple[socket.AddressFamily, tuple[str, int]]


class Dialler:
    """Opens connections. Guarded hosts are resolved and checked anew for each one."""

    def __init__(self, *, allowed: Allowed | None = None, tls: ssl.SSLContext | None = None) -> None:
        self._ticker: Ticker | None = None
        self._allowed = allowed if allowed is not None else Allowed()
        self._tls = tls
        self._names: dict[tuple[str, int], tuple[float, list[_Address]]] = {}

    async def dial(self, target: Target) -> Connection:
        """A new connection to the target. Raises: UpstreamError (dns, guard, tcp, tls)."""
        addresses = await self.addresses(target)
        try:
            raw = await _first_to_answer(addresses)
        except OSError as error:
            raise UpstreamError(Layer.TCP, _said(error)) from error
        return await self._speak(raw, target)

    async def addresses(self, target: Target) -> list[_Address]:
        """The addresses of a target; for a guarded one resolved now and every one of them checked."""
        key, now = (target.host, target.port), asyncio.get_running_loop().time()
        kept = self._names.get(key)
        if kept is not None and kept[0] > now and not target.is_guarded:
            return kept[1]
        addresses = await _resolve(target.host, target.port)
        if target.is_guarded:
            found = [place[0] for _, place in addresses]
            refused = check_target(target.scheme, target.host, target.port, found, self._allowed)
            if refused is not None:
                raise UpstreamError(Layer.GUARD, f"{refused.address}: {refused.reason}")
        self._names[key] = (now + DNS_KEPT_S, addresses)
        return addresses

    async def _speak(self, raw: socket.socket, target: Target) -> Connection:
        loop = asyncio.get_running_loop()
        ticker = self._ticker = self._ticker or Ticker(loop)
        secure = target.scheme == "https"
        try:
            _, protocol = await loop.create_connection(
                lambda: Connection(ticker),
                sock=raw,
                ssl=self._context() if secure else None,
                server_hostname=target.host if secure else None,
            )
        except ssl.SSLError as error:
            raw.close()
            raise UpstreamError(Layer.TLS, _tls_said(error)) from error
        except OSError as error:
            raw.close()
            raise UpstreamError(Layer.TLS if secure else Layer.TCP, _said(error)) from error
        except BaseException:
            raw.close()
            raise
        return protocol

    def _context(self) -> ssl.SSLContext:
        if self._tls is None:
            self._tls = ssl.create_default_context()
            self._tls.set_alpn_protocols(["http/1.1"])
        return self._tls


async def _resolve(host: str, port: int) -> list[_Address]:
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise UpstreamError(Layer.DNS, _said(error)) from error
    addresses: list[_Address] = [(family, (str(place[0]), int(place[1]))) for family, _, _, _, place in found]
    if not addresses:
        raise UpstreamError(Layer.DNS, "no address")
    return _interleaved(addresses)


def _interleaved(addresses: list[_Address]) -> list[_Address]:
    """Families by turns, the resolver's first choice first."""
    first = [address for address in addresses if address[0] == addresses[0][0]]
    second = [address for address in addresses if address[0] != addresses[0][0]]
    mixed: list[_Address] = []
    for number in range(max(len(first), len(second))):
        mixed += first[number : number + 1] + second[number : number + 1]
    return mixed


async def _first_to_answer(addresses: Sequence[_Address]) -> socket.socket:
    """Happy eyeballs: each next address starts 0.25 s after the one before, or at once when that one failed."""
    if len(addresses) == 1:
        return await _connect(addresses[0])
    tasks: set[asyncio.Task[socket.socket]] = set()
    error: OSError = OSError("no address")
    remaining = list(addresses)
    try:
        while remaining or tasks:
            if remaining:
                tasks.add(asyncio.ensure_future(_connect(remaining.pop(0))))
            limit = _STAGGER_S if remaining else None
            done, tasks = await asyncio.wait(tasks, timeout=limit, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                failed = task.exception()
                if failed is None:
                    return task.result()
                if isinstance(failed, OSError):
                    error = failed
        raise error
    finally:
        for task in tasks:
            task.cancel()
            task.add_done_callback(_close_late)


def _close_late(task: "asyncio.Task[socket.socket]") -> None:
    if not task.cancelled() and task.exception() is None:
        task.result().close()


async def _connect(address: _Address) -> socket.socket:
    family, place = address
    raw = socket.socket(family, socket.SOCK_STREAM)
    try:
        raw.setblocking(False)
        with contextlib.suppress(OSError):
            raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        await asyncio.get_running_loop().sock_connect(raw, place)
    except BaseException:
        raw.close()
        raise
    return raw


def _said(error: BaseException) -> str:
    return str(getattr(error, "strerror", None) or type(error).__name__)


def _tls_said(error: ssl.SSLError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return str(error.verify_message)
    return str(error.reason or "handshake")
