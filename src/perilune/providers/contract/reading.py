"""The port of the reading side: how a provider reads one account.

A provider's module `read` offers `read_url`, `understood`, `read` and `profile`, which adds what the vendor tells on
calls that are made once a day. Expected refusals are PeriluneErrors of the reading side's codes.
"""

from datetime import datetime
from typing import Protocol, cast

from msgspec import Struct

from perilune.catalog.plan import Plan, Region
from perilune.core.addresses import host_of
from perilune.core.errors import CredentialError, Problem
from perilune.core.secret import Secret
from perilune.net.control import BoundSecret, ControlAnswer, ControlClient
from perilune.providers.contract.registry import providers
from perilune.quota.snapshot import Snapshot, Source


class Binding(Struct, frozen=True, kw_only=True):
    """A credential bound to one plan, one region and one host family, as a provider needs it for a call.

    Shape: `base_url` only where the user wrote one beside the credential; `salt` is the machine's own secret under
    which identities become fingerprints.
    """

    account: str
    plan: Plan
    region: Region
    secret: Secret
    base_url: str | None = None
    source: Source = "api-key"
    salt: bytes = b""

    @property
    def base(self) -> str:
        """The address calls start from, without trailing slash."""
        return (self.base_url or self.region.read_base).rstrip("/")

    @property
    def host(self) -> str:
        return host_of(self.base)

    @property
    def bound(self) -> BoundSecret:
        """The secret with the hosts it may go to: the user's own address alone, else the region's official ones."""
        return BoundSecret(self.secret, (self.host,) if self.base_url else self.region.hosts)


class Reader(Protocol):
    """What a provider's module `read` offers."""

    def read_url(self, binding: Binding) -> str:
        """The one free call that tells what is left; detection asks it too."""

    def understood(self, binding: Binding, answer: ControlAnswer, now: datetime) -> Snapshot:
        """The answer of `read_url` as a snapshot. Raises the reading side's errors."""

    async def read(
        self, binding: Binding, client: ControlClient, now: datetime, previous: Snapshot | None = None
    ) -> Snapshot:
        """Read the account. `now` is local time; `previous` is the last good snapshot."""

    async def profile(self, binding: Binding, client: ControlClient, snapshot: Snapshot) -> Snapshot:
        """The snapshot with what calls made once a day add to it; their failures add nothing."""


def reader_of(plan_id: str) -> Reader | None:
    """The reading side of a plan, None where it has none."""
    provider = providers().get(plan_id)
    module = None if provider is None else provider.module("read")
    return None if module is None else cast("Reader", module)


def demand_own_key(binding: Binding) -> None:
    """Return when the key may go to the plan's host. Raises: PL-401-HOST for one that is plainly another plan's."""
    other = other_owner(binding.plan, binding.secret)
    if other is not None:
        facts = {"other": other, "host": binding.host, "plan": binding.plan.label}
        raise CredentialError(Problem(code="PL-401-HOST", facts=facts, account=binding.account or None))


def other_owner(plan: Plan, secret: Secret) -> str | None:
    """Whose key it is by a beginning that the plan refuses, None where it refuses nothing about it."""
    text = secret.reveal()
    refused = next((prefix for prefix in plan.refused_prefixes if text.startswith(prefix)), None)
    if refused is None:
        return None
    owners = (one.plan.label for one in providers().values() if refused in one.plan.key_prefixes)
    return next(owners, refused)
