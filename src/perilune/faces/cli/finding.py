"""Credentials that are on this machine already: looked for offline; nothing is sent, copied or written."""

import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from msgspec import Struct

from perilune.browsers.folders import count_profiles
from perilune.config.base_url import official_home
from perilune.config.peers import LABEL, NAME, read_peer
from perilune.core.errors import PeriluneError
from perilune.core.keys import clean_key
from perilune.core.secret import Secret
from perilune.faces.adding.services import AddServices
from perilune.faces.cli.session import Session
from perilune.providers.contract.registry import providers

_COMPARED = ("vault:", "env:", "file:")


class Finding(Struct, frozen=True, kw_only=True):
    """One credential that was found. `variable` is its name when `add --from env` would take it."""

    kind: str
    source: str
    where: str
    what: str
    state: str
    plan: str | None = None
    variable: str | None = None


def home_short(path: Path | str) -> str:
    """A path with the home folder as `~`."""
    text, home = str(path), str(Path.home())
    return "~" + text[len(home) :] if text.startswith(home + os.sep) else text


def findings(session: Session) -> list[Finding]:
    """Everything that was found, the most useful first."""
    services: AddServices = session.workbench
    saved = _saved(services)
    return [
        *_logins(session, services),
        *_variables(session, services, saved),
        *_peer(session, services, saved),
        *_browsers(session),
    ]


def skipped_by_peer(session: Session) -> list[tuple[str, str]]:
    """Providers of CodexBar's file with a key that is not taken by itself, and the plan to say for them."""
    services: AddServices = session.workbench
    found = read_peer(session.environment, Path.home(), _peer_plans(services, is_detectable=True))
    others = _peer_plans(services, is_detectable=False)
    return [(name, others.get(name, "PLAN")) for name in found.skipped] if found else []


def _peer_plans(services: AddServices, *, is_detectable: bool) -> dict[str, str]:
    plans = [plan for plan in services.plans.values() if plan.is_detectable == is_detectable]
    return {plan.known_as[NAME]: plan.id for plan in plans if NAME in plan.known_as}


def _saved(services: AddServices) -> dict[Secret, str]:
    """Keys of saved accounts with the account's name; compared in memory, so that no file is made for it."""
    loaded = services.configuration()
    saved: dict[Secret, str] = {}
    for account in loaded.config.accounts:
        if loaded.origins.get(account.name) == "file" and (account.key or "").startswith(_COMPARED):
            try:
                saved[services.vault.read(account.key or "", account.name)] = account.name
            except PeriluneError:
                continue  # `accounts test` says what is wrong with it
    return saved


def _logins(session: Session, services: AddServices) -> Iterator[Finding]:
    now = services.now()
    for provider in providers().values():
        module = provider.module("logins")
        for login in module.found_logins(session.environment, Path.home(), now) if module else ():
            yield Finding(
                kind="cli-login",
                source=session.voice.say("discover.cli", plan=provider.plan.label),
                where=home_short(login.file),
                what=session.voice.say("discover.login"),
                state=_freshness(session, login.expires_at - now if login.expires_at else None, usable=login.is_usable),
                plan=provider.plan.id,
            )


def _freshness(session: Session, left: timedelta | None, *, usable: bool) -> str:
    if left is None:
        return session.voice.say("discover.unusable")
    if usable:
        return session.voice.say("discover.valid", left=session.voice.age(left))
    return session.voice.say("discover.expired", ago=session.voice.age_ago(-left))


def _variables(session: Session, services: AddServices, saved: dict[Secret, str]) -> Iterator[Finding]:
    for plan in services.plans.values():
        names = [(name, "opt-in" if plan.is_opt_in else "key") for name in plan.environment.keys]
        names += [(name, "web") for name in plan.environment.web_sessions]
        names += [(name, "unused") for name in plan.environment.found_not_used]
        for name, use in names:
            yield from _variable(session, name, use, plan.id, saved)
    yield from _agent_token(session, services, saved)


def _variable(session: Session, name: str, use: str, plan_id: str, saved: dict[Secret, str]) -> Iterator[Finding]:
    secret = Secret(clean_key(session.environment.get(name, "")))
    if not secret:
        return
    state = _use_state(session, use, plan_id, secret, saved)
    yield Finding(
        kind="environment",
        source=session.voice.say("discover.environment"),
        where=name,
        what=secret.masked() if use != "web" else session.voice.say("discover.web"),
        state=state,
        plan=plan_id if use == "key" else None,
        variable=name if use == "key" and secret not in saved else None,
    )


def _use_state(session: Session, use: str, plan_id: str, secret: Secret, saved: dict[Secret, str]) -> str:
    if use == "unused":
        return session.voice.say("discover.unused")
    if use == "opt-in" and secret not in saved:
        return session.voice.say("discover.opt_in", plan=plan_id)
    return _state(session, secret, saved)


def _agent_token(session: Session, services: AddServices, saved: dict[Secret, str]) -> Iterator[Finding]:
    """A token that a coding agent is set up with, when its address is an official one."""
    address = session.environment.get("ANTHROPIC_BASE_URL", "")
    home = official_home(address, services.plans, session.environment.get("PERILUNE_UPSTREAM")) if address else None
    if home is not None:
        yield from _variable(session, "ANTHROPIC_AUTH_TOKEN", "agent", home[0].id, saved)


def _peer(session: Session, services: AddServices, saved: dict[Secret, str]) -> Iterator[Finding]:
    plans = _peer_plans(services, is_detectable=True)
    found = read_peer(session.environment, Path.home(), plans)
    for entry in found.entries if found else ():
        yield Finding(
            kind=NAME,
            source=LABEL,
            where=home_short(found.file) if found else "",
            what=entry.id,
            state=_state(session, entry.secret, saved),
            plan=plans[entry.id],
        )


def _state(session: Session, secret: Secret, saved: dict[Secret, str]) -> str:
    name = saved.get(secret)
    return session.voice.say("discover.saved", name=name) if name else session.voice.say("discover.new")


def _browsers(session: Session) -> Iterator[Finding]:
    counts = count_profiles(Path.home())
    if counts:
        say = session.voice.say
        words = [
            say("discover.profiles" if n > 1 else "discover.profile", browser=b, count=n) for b, n in counts.items()
        ]
        yield Finding(
            kind="browsers",
            source=say("discover.browsers"),
            where=say("discover.comma").join(words),
            what="–",
            state=say("discover.not_read"),
        )
