"""Sessions that the vendor's desktop program and browsers keep on this machine, tried in a fixed order.

Source: cookie `kimi-auth` and local-storage key `access_token` of the web host.
"""

import sys
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path

from perilune.browsers.default import default_browser
from perilune.browsers.places import find_profiles
from perilune.browsers.search import search
from perilune.browsers.stored import Profile, StoredValue, StoreTrouble, Wanted
from perilune.catalog.plan import Plan, Region
from perilune.core.errors import CredentialError, Problem
from perilune.core.secret import Secret
from perilune.providers.contract.reading import Binding
from perilune.providers.contract.sources import Surroundings
from perilune.providers.kimi_code.claims import TOKEN, claims_of
from perilune.providers.kimi_code.pasted import PastedSession

DESKTOP = "Kimi Desktop"
_DESKTOP_FOLDER = "kimi-desktop"
_CONTAINER = "container="
_GRAVEST = ("PL-COOKIE-EXPIRED", "PL-COOKIE-LOCKED", "PL-COOKIE-APPBOUND", "PL-COOKIE-PERMISSION",
            "PL-COOKIE-UNREADABLE")  # fmt: skip


def wanted_of(region: Region) -> Wanted:
    """The rows that may hold a session of a region, and no others."""
    hosts = tuple(f"{dot}{www}{region.site}" for www in ("", "www.") for dot in ("", "."))
    return Wanted(cookie="kimi-auth", hosts=hosts, origin=region.web or "", storage_key="access_token")


def stored_sessions(
    account: str, plan: Plan, region: Region, around: Surroundings, browser: str | None = None
) -> Iterator[tuple[StoredValue, PastedSession]]:
    """The sessions there are, one profile after another, in each the one that lasts longest first.

    `browser` is a browser's name, with `:container=N` behind it for one of its containers.
    Raises: PL-COOKIE-… at the end, when there was none.
    """
    name, container = _named(browser)
    seen: list[Profile] = []
    problems: list[Problem] = []
    found_any = False
    for profile, reading in search(_profiles(around, name), wanted_of(region), around.environment, container=container):
        seen.append(profile)
        problems += [_problem(trouble, account, region) for trouble in reading.troubles]
        for value, session in _in_order(reading.values):
            if session.claims.is_expired(around.now):
                told: dict[str, object] = {"site": region.site, "expired_at": session.claims.expires_at}
                problems.append(Problem(code="PL-COOKIE-EXPIRED", facts=told, account=account or None))
            elif session.claims.kind != "refresh" and session.claims.region(plan) in (None, region):
                found_any = True
                yield value, session
    if not found_any:
        raise CredentialError(_gravest(problems) or _none(seen, name, region, account))


def stored_binding(account: str, plan: Plan, region: Region, around: Surroundings, session: PastedSession) -> Binding:
    """A stored session as a credential bound to the web host of its region."""
    return Binding(
        account=account,
        plan=plan,
        region=region,
        secret=session.token,
        base_url=region.web,
        source="web-session",
        salt=around.salt,
    )


def _named(browser: str | None) -> tuple[str | None, str | None]:
    name, _, rest = (browser or "").partition(":")
    container = rest.removeprefix(_CONTAINER) if rest.startswith(_CONTAINER) else None
    return name or None, container


def _profiles(around: Surroundings, name: str | None) -> Iterator[Profile]:
    desktop = () if name is not None else _desktop(around)
    first = default_browser(around.home, around.environment, sys.platform)
    return chain(desktop, find_profiles(around.home, around.environment, name, first=first))


def _desktop(around: Surroundings) -> Iterator[Profile]:
    """The vendor's own program, which keeps its session as a browser does."""
    folder = _application_data(around) / _DESKTOP_FOLDER
    if folder.is_dir():
        yield Profile(browser=DESKTOP, family="chromium", name=folder.name, folder=folder)


def _application_data(around: Surroundings) -> Path:
    if sys.platform == "darwin":
        return around.home / "Library" / "Application Support"
    if sys.platform == "win32":
        return Path(around.environment.get("APPDATA") or around.home / "AppData" / "Roaming")
    place = Path(around.environment.get("XDG_CONFIG_HOME") or "")
    return place if place.is_absolute() else around.home / ".config"


def _in_order(values: Sequence[StoredValue]) -> list[tuple[StoredValue, PastedSession]]:
    """Values with their claims: the latest expiry first, opaque ones last by their newest use."""
    sessions = [(value, _session(value.value)) for value in values if _may_be_session(value)]
    return sorted(sessions, key=lambda pair: _worth(*pair), reverse=True)


def _worth(value: StoredValue, session: PastedSession) -> tuple[float, int]:
    expires_at = session.claims.expires_at
    return expires_at.timestamp() if expires_at else 0.0, value.accessed


def _may_be_session(value: StoredValue) -> bool:
    return value.kind == "cookie" or TOKEN.fullmatch(value.value.reveal()) is not None


def _session(token: Secret) -> PastedSession:
    return PastedSession(token, claims_of(token), None)


def _problem(trouble: StoreTrouble, account: str, region: Region) -> Problem:
    facts = {"browser": trouble.browser, "site": region.site}
    return Problem(code=trouble.code, variant=trouble.variant, facts=facts, account=account or None)


def _gravest(problems: Sequence[Problem]) -> Problem | None:
    """Of several reasons the one that most likely keeps a session from being used."""
    return min(problems, key=lambda problem: _GRAVEST.index(problem.code), default=None)


def _none(seen: Sequence[Profile], name: str | None, region: Region, account: str) -> Problem:
    browsers = ", ".join(dict.fromkeys(profile.browser for profile in seen)) or name or ""
    variant = {0: "unknown" if name else "nowhere", 1: "one"}.get(len(seen), "")
    facts = {"browsers": browsers, "count": len(seen), "site": region.site}
    return Problem(code="PL-COOKIE-NONE", variant=variant, facts=facts, account=account or None)
