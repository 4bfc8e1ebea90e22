"""The port of further credential sources: logins of a vendor's own programs and sessions of its web site.

A provider may offer the modules `login` and `web_session`; what they find is a Binding like that of a key.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Protocol, cast

from msgspec import Struct

from perilune.catalog.plan import Plan, Region
from perilune.core.secret import Secret
from perilune.net.control import ControlClient
from perilune.providers.contract.reading import Binding
from perilune.providers.contract.registry import providers
from perilune.quota.snapshot import Snapshot


class Surroundings(Struct, frozen=True, kw_only=True):
    """The machine as a source sees it.

    Shape: `upstream` stands in for the official hosts, None where nothing does; `salt` is the machine's own secret
    under which identities become fingerprints.
    """

    environment: Mapping[str, str]
    home: Path
    now: datetime
    upstream: str | None = None
    salt: bytes = b""


class LoginReader(Protocol):
    """What a provider's module `login` offers."""

    def bind_login(self, account: str, plan: Plan, region: Region, around: Surroundings) -> Binding:
        """The login of the vendor's program as a credential. Raises: PL-LOGIN-…, PL-401-HOST."""


class WebCalls(Protocol):
    """Calls that run beside a key's reading."""

    async def stop(self) -> None:
        """End what still runs."""


class SessionReader(Protocol):
    """What a provider's module `web_session` offers."""

    def enrichment(self, sessions: Iterator[Binding], client: ControlClient, now: datetime) -> WebCalls:
        """Web calls that run beside a key's reading, with the first session that is not refused."""

    async def enriched(self, snapshot: Snapshot, calls: WebCalls) -> Snapshot:
        """The snapshot with what those calls told within their grace; their failures add nothing."""

    def holds_session(self, text: Secret, plan: Plan) -> bool:
        """Whether a paste is a web session in one of its known forms."""

    def bind_pasted(self, account: str, plan: Plan, region: Region, text: Secret, around: Surroundings) -> Binding:
        """A pasted session as a credential. Raises: PL-COOKIE-SHAPE, PL-COOKIE-EXPIRED, PL-401-HOST."""

    def bind_environment(self, account: str, plan: Plan, region: Region, around: Surroundings) -> Binding | None:
        """The session that the environment holds, None where it holds none. Raises as `bind_pasted`."""

    def bind_stored(
        self, account: str, plan: Plan, region: Region, around: Surroundings, *, browser: str | None = None
    ) -> Iterator[Binding]:
        """Sessions of programs and browsers on this machine, each store opened only when it is asked for.

        Raises: PL-COOKIE-… at the end, when there was none.
        """


def login_reader(plan_id: str) -> LoginReader | None:
    """The reader of a plan's CLI logins, None where it has none."""
    provider = providers().get(plan_id)
    module = None if provider is None else provider.module("login")
    return None if module is None else cast("LoginReader", module)


def session_reader(plan_id: str) -> SessionReader | None:
    """The reader of a plan's web sessions, None where it has none."""
    provider = providers().get(plan_id)
    module = None if provider is None else provider.module("web_session")
    return None if module is None else cast("SessionReader", module)
