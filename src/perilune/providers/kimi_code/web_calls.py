"""The calls of the vendor's web site, with the headers its own console sends for them and our own name.

Source: POST below `/apiv2/` of the web host: GetUsages, GetSubscriptionStats, GetSubscription.
"""

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any, Literal

import msgspec
from msgspec import Struct

from perilune.core.errors import ConfigError, CredentialError, PeriluneError, Problem
from perilune.core.keys import has_key_shape
from perilune.net.control import ControlAnswer, ControlClient
from perilune.providers.contract.answers import demand_success, json_object, words_of
from perilune.providers.contract.reading import Binding
from perilune.providers.kimi_code import web
from perilune.providers.kimi_code.claims import claims_of

USAGES_S, BESIDE_S = 10, 8
GRACE_S = 2.0
_BILLING = "kimi.gateway.billing.v1.BillingService"
_MEMBERSHIP = "kimi.gateway.membership.v2.MembershipService"
_STATS, _SUBSCRIPTION = f"{_MEMBERSHIP}/GetSubscriptionStats", f"{_MEMBERSHIP}/GetSubscription"


class Told(Struct, frozen=True):
    """What calls beside the main one told in time, and with whose session. None is not told."""

    binding: Binding
    stats: Mapping[str, Any] | None = None
    subscription: Mapping[str, Any] | None = None


async def ask_usages(binding: Binding, client: ControlClient, timeout_s: float = USAGES_S) -> ControlAnswer:
    """GetUsages. Raises: PL-NET-…, PL-PARSE-SIZE."""
    return await _post(binding, client, f"{_BILLING}/GetUsages", {"scope": ["FEATURE_CODING"]}, timeout_s)


def accepted(binding: Binding, answer: ControlAnswer, now: datetime) -> dict[str, Any]:
    """The body of an answer. Raises: PL-COOKIE-EXPIRED when the session is refused; else by status."""
    if answer.status < 500 and answer.status != 429 and _says_unauthenticated(answer):
        facts = {"host": binding.host, "site": binding.region.site}
        raise CredentialError(
            Problem(code="PL-COOKIE-EXPIRED", variant="refused", facts=facts, account=binding.account)
        )
    if answer.status == 404:
        facts = {"host": binding.host}
        raise ConfigError(
            Problem(code="PL-404-READ", facts=facts, words=words_of(answer.body), account=binding.account)
        )
    demand_success(binding, answer, now)
    return json_object(binding, answer)


class CallsBeside:
    """GetSubscriptionStats and GetSubscription, started at once, with the first session that is not refused."""

    def __init__(self, sessions: Iterator[Binding], client: ControlClient, now: datetime) -> None:
        self._client = client
        self._now = now
        self._told: Told | None = None
        self._task = asyncio.ensure_future(self._ask(sessions))

    async def told(self, grace_s: float = GRACE_S) -> Told | None:
        """What has been told when the grace is over; None when no session was accepted. Call once."""
        await asyncio.wait((self._task,), timeout=grace_s)
        await self.stop()
        told = self._told
        return None if told is None or (told.stats is None and told.subscription is None) else told

    async def stop(self) -> None:
        """End what still runs."""
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task

    async def _ask(self, sessions: Iterator[Binding]) -> None:
        """Refused sessions give way to the next one; any other trouble ends it, without an error."""
        with suppress(PeriluneError):
            while (binding := await asyncio.to_thread(next, sessions, None)) is not None:
                self._told = Told(binding)
                calls = self._keep(binding, _STATS, "stats"), self._keep(binding, _SUBSCRIPTION, "subscription")
                if "refused" not in await asyncio.gather(*calls):
                    return
                self._told = None

    async def _keep(self, binding: Binding, call: str, place: str) -> Literal["told", "refused", "silent"]:
        """Note what one call tells; trouble costs only this call."""
        try:
            body = accepted(binding, await _post(binding, self._client, call, {}, BESIDE_S), self._now)
        except CredentialError:
            return "refused"
        except PeriluneError:
            return "silent"
        if self._told is not None:
            told = {"stats": self._told.stats, "subscription": self._told.subscription, place: body}
            self._told = Told(binding, **told)
        return "told"


def _says_unauthenticated(answer: ControlAnswer) -> bool:
    return web.is_unauthenticated(answer.status, _object(answer.body))


def _object(body: bytes) -> Mapping[str, Any]:
    with suppress(msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        decoded = msgspec.json.decode(body)
        return decoded if isinstance(decoded, dict) else {}
    return {}


async def _post(
    binding: Binding, client: ControlClient, call: str, document: Mapping[str, Any], timeout_s: float
) -> ControlAnswer:
    url = f"{binding.base}/apiv2/{call}"
    return await client.post_json(url, document, secret=binding.bound, headers=_headers(binding), timeout_s=timeout_s)


def _headers(binding: Binding) -> dict[str, str]:
    """What names the session to the site. A claim that is missing or no header text leaves its header out."""
    token, claims = binding.secret.reveal(), claims_of(binding.secret)
    named = {
        "x-msh-device-id": claims.device_id,
        "x-msh-session-id": claims.session_id,
        "x-traffic-id": claims.subject,
    }
    return {
        "Cookie": f"kimi-auth={token}",
        "Origin": binding.base,
        "Referer": f"{binding.base}/code/console",
        "connect-protocol-version": "1",
        "x-msh-platform": "web",
        "x-language": "en-US",
        "r-timezone": "UTC",
        **{name: value for name, value in named.items() if value and has_key_shape(value)},
    }
