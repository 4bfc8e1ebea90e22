"""Sending to an address the user wrote: guarded, bounded in time, its answer quoted without secrets."""

import asyncio
import socket
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct

from perilune.core.errors import PeriluneError
from perilune.core.redact import MASK, vendor_words
from perilune.core.secret import Secret
from perilune.monitor.notify.port import Receipt
from perilune.net.control import ControlAnswer, ControlClient
from perilune.net.guard import Allowed, Refused, check_target, check_url
from perilune.net.upstream_map import dialled

Verdict = Callable[[ControlAnswer, Any], str | None]
_JSON = "application/json; charset=utf-8"


class Place(Struct, frozen=True, kw_only=True):
    """Where a host leads: the address to connect to, or why none may be. Neither is a name that nobody looked up."""

    address: str | None = None
    objection: str | None = None


class Poster:
    """Posts for one channel. `secrets` are never quoted back; `allowed` are the private addresses the user listed."""

    def __init__(
        self, client: ControlClient, allowed: Allowed, secrets: Sequence[Secret] = (), *, upstream: str | None = None
    ) -> None:
        self._client = client
        self._allowed = allowed
        self._secrets = secrets
        self._upstream = upstream

    async def post_json(self, url: str, document: object, refused: Verdict) -> Receipt:
        """Post a JSON document; `refused` says in words why the answer is a no, None for a yes."""
        return await self.post(url, msgspec.json.encode(document), {"Content-Type": _JSON}, refused)

    async def post(self, url: str, body: bytes, headers: Mapping[str, str], refused: Verdict) -> Receipt:
        """Post a body and judge the answer."""
        place = await self._place(url)
        if place.objection is not None:
            return Receipt(is_taken=False, words=place.objection)
        is_listed = check_url(url, self._allowed) is None
        try:
            answer = await self._client.post_once(
                url, body, headers=headers, is_listed=is_listed, address=place.address
            )
        except PeriluneError as error:
            return Receipt(is_taken=False, words=error.problem.code)
        words = refused(answer, _document(answer.body))
        shown = self._quoted(f"{answer.status}" if words is None else words)
        return Receipt(is_taken=words is None, words=shown)

    async def _place(self, url: str) -> Place:
        """Where an address leads: every one of a name is looked at, and one that was is connected to."""
        from perilune.net.faults import proxy_for

        if dialled(url, self._upstream) != url:
            return Place()
        try:
            found = check_url(url, self._allowed)
            if found is not None or proxy_for(url) is not None:
                return Place(objection=None if found is None else objection_words(found))
            parts = urlsplit(url)
            port = parts.port or (443 if parts.scheme == "https" else 80)
        except ValueError:
            return Place(objection="PL-CONFIG-BASEURL")
        return await place_of((parts.hostname or "").rstrip("."), port, self._allowed, parts.scheme)

    def _quoted(self, words: str) -> str:
        for secret in self._secrets:
            words = words.replace(secret.reveal(), MASK)
        return vendor_words(words)


async def place_of(host: str, port: int, allowed: Allowed, scheme: str = "https") -> Place:
    """Where a host leads, or why it may not be called; a name that leads nowhere is left to whoever connects.

    `http` stands for everything that goes in clear. IPv4 goes first: what is connected to cannot fall back.
    """
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError:
        return Place()
    ordered = sorted(found, key=lambda entry: entry[0] != socket.AF_INET)
    addresses = [str(entry[4][0]) for entry in ordered]
    refused = check_target(scheme, host, port, addresses, allowed)
    return Place(address=addresses[0]) if refused is None else Place(objection=objection_words(refused))


def objection_words(found: Refused) -> str:
    """An address that is not called, with the entry that would allow it."""
    return f"{found.address}: {found.reason}; gateway.allow_private {found.allow}"


def status_words(answer: ControlAnswer) -> str:
    """A status with what the other side said."""
    said = vendor_words(answer.body.decode("utf-8", "replace"), 80)
    return f"{answer.status} {said}".strip()


def code_words(code: object, said: object) -> str:
    """A code inside a body with its sentence."""
    return f"code {code}, {said}" if said else f"code {code}"


def _document(body: bytes) -> Any:
    try:
        found = msgspec.json.decode(body)
    except msgspec.DecodeError:
        return {}
    return found if isinstance(found, dict) else {}
