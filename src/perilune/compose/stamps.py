"""Keeps what showed that accounts' keys work: free reads, trials, routed answers. Failures change nothing."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime

import msgspec
from sqlalchemy import Connection

from perilune.compose.background import Background
from perilune.config.schema import AccountConfig, Config
from perilune.core.addresses import host_of
from perilune.core.decoding import decoded
from perilune.core.secret import Secret
from perilune.providers.contract.registry import plan as plan_of
from perilune.quota.stamp import Stamp, VerifiedBy, holds, stamped
from perilune.store import learned
from perilune.store.engine import Store
from perilune.store.lessons import Learned

_NAME = "verified"


def scope_of(account: str) -> str:
    """Where the store keeps what is about an account itself."""
    return f"account:{account}"


def place_of(config: Config, account: str, host: str, fingerprint: str) -> str:
    """Key, host and surfaces of an account as one text; any of them changes it."""
    slots = (slot for route in config.gateway.routes for slot in route.slots if slot.account == account)
    surfaces = sorted({slot.surface for slot in slots if slot.surface})
    return " ".join((fingerprint, host, *surfaces))


def host_read(account: AccountConfig) -> str:
    """The host that an account's free reads go to, empty where it has none."""
    plan = plan_of(account.plan)
    region = plan.region(account.region) if plan else None
    base = account.base_url or (region.read_base if region else "")
    return host_of(base) if base else ""


def keep_stamp(connection: Connection, account: str, stamp: Stamp) -> None:
    """Keep a success beside what is known, if it says more."""
    found = stamps_in(connection, stamp.at).get(account)
    value = msgspec.json.encode(stamped(found, stamp)).decode()
    learned.keep(connection, Learned(scope=scope_of(account), name=_NAME, value=value, at=stamp.at))


def stamps_in(connection: Connection, now: datetime) -> dict[str, Stamp]:
    """The stamps as they were kept, by account."""
    return stamps_among(learned.known(connection, now))


def stamps_among(lessons: Iterable[Learned]) -> dict[str, Stamp]:
    """The stamps in all that was learned."""
    prefix = scope_of("")
    kept = (one for one in lessons if one.name == _NAME and one.scope.startswith(prefix))
    return {one.scope.removeprefix(prefix): decoded(one.value, Stamp) for one in kept}


class Stamps:
    """The stamps of a running gateway. Noting a success costs a look-up once it is known."""

    def __init__(self, store: Store, background: Background, clock: Callable[[], datetime], salt: bytes) -> None:
        self._store, self._background, self._clock, self._salt = store, background, clock, salt
        self._places: dict[str, str] = {}
        self._known: dict[str, Stamp] = {}

    def load(self, config: Config, secrets: Mapping[str, Secret]) -> None:
        """Take over the accounts as they are configured now."""
        self._places = {
            account.name: place_of(config, account.name, host_read(account), self._fingerprint(secrets, account.name))
            for account in config.accounts
        }
        with self._store.read() as connection:
            self._known = stamps_in(connection, self._clock())

    def take_in(self, kept: Mapping[str, Stamp]) -> bool:
        """Know what another process has shown meanwhile, such as a test by hand; True when it is news."""
        news = {account: stamp for account, stamp in kept.items() if self._is_news(account, stamp)}
        self._known |= {account: stamped(self.of(account), stamp) for account, stamp in news.items()}
        return bool(news)

    def _is_news(self, account: str, stamp: Stamp) -> bool:
        known = self.of(account)
        is_ours = holds(stamp, self._places.get(account)) is not None
        return is_ours and (known is None or stamp.at > known.at) and stamped(known, stamp) != known

    def of(self, account: str) -> Stamp | None:
        """The stamp of an account as it is now."""
        return holds(self._known.get(account), self._places.get(account))

    def note(self, account: str, by: VerifiedBy) -> None:
        """Note a success of an account."""
        known, place = self.of(account), self._places.get(account)
        if place is None or (known is not None and known.by == "traffic"):
            return
        stamp = stamped(known, Stamp(by=by, at=self._clock(), place=place))
        self._known[account] = stamp

        def write() -> None:
            with self._store.begin() as connection:
                keep_stamp(connection, account, stamp)

        self._background.submit(write)

    def _fingerprint(self, secrets: Mapping[str, Secret], account: str) -> str:
        secret = secrets.get(account)
        return secret.fingerprint(self._salt) if secret is not None else "–"
