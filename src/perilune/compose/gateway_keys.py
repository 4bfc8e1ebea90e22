"""Commands that make, list and revoke gateway keys: in the store, where every running service looks."""

import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import msgspec

from perilune.config.schema import Config
from perilune.core.amounts import Amount
from perilune.core.decoding import decoded
from perilune.core.errors import Problem, UsageError
from perilune.core.secret import Secret
from perilune.faces.cli.gateway_keys import ListedKey, UsedBudget
from perilune.gateway.budgets import Budget, key_budgets, period_of
from perilune.gateway.keys import KeySettings, digest_of, make_key
from perilune.store import keys, spends
from perilune.store.keys import StoredKey
from perilune.store.times import to_ms

if TYPE_CHECKING:
    from perilune.catalog.plan import Plan
    from perilune.compose.workbench import Workbench

_IMPLICIT_ROUTE = "default"


def create_key(bench: "Workbench", name: str, settings: KeySettings) -> Secret:
    """A new key; the store has its digest. Raises: PL-USAGE for a name that is taken."""
    key = make_key(secrets.token_bytes(32))
    stored = StoredKey(
        id=str(uuid4()),
        name=name,
        digest=digest_of(key),
        tail=key.reveal()[-4:],
        created_at=bench.now(),
        document=msgspec.json.encode(settings).decode(),
    )
    with bench.monitoring.store.begin() as connection:
        is_new = keys.create(connection, stored)
    if not is_new:
        raise UsageError.of("PL-USAGE", variant="key_taken", name=name)
    return key


def listed_keys(bench: "Workbench") -> list[ListedKey]:
    """Every key, oldest first."""
    with bench.monitoring.store.read() as connection:
        found, used = keys.all_keys(connection), spends.all_used(connection)
    now = bench.now().astimezone()
    return [
        ListedKey(
            name=key.name,
            tail=key.tail,
            is_revoked=key.revoked_at is not None,
            settings=_settings(key),
            budgets=tuple(_used(budget, used, now) for budget in _budgets(key)),
        )
        for key in found
    ]


def change_key(bench: "Workbench", name: str, changes: Mapping[str, Any]) -> None:
    """Give a key other settings. Raises: PL-USAGE where no key in use has that name."""
    with bench.monitoring.store.begin() as connection:
        found = next((key for key in keys.all_keys(connection) if key.name == name), None)
        settings = msgspec.structs.replace(_settings(found), **changes) if found is not None else None
        is_changed = keys.change(connection, name, msgspec.json.encode(settings).decode())
    if not is_changed:
        raise UsageError.of("PL-USAGE", variant="key_unknown", name=name)


def _budgets(key: StoredKey) -> tuple[Budget, ...]:
    settings = _settings(key)
    return key_budgets(key.id, key.name, settings.soft, settings.hard, settings.per)


def _used(budget: Budget, used: Mapping[spends.Place, int], now: datetime) -> UsedBudget:
    start, end = period_of(budget.per, now)
    amount = budget.amount
    count = used.get(spends.Place(budget.id, to_ms(start), amount.unit), 0)
    return UsedBudget(
        limit=amount,
        used=Amount(amount.unit, count),
        left=amount.left_after(count),
        is_hard=budget.is_hard,
        ends_at=end,
    )


def revoke_key(bench: "Workbench", name: str, *, ends_streams: bool) -> None:
    """End a key for good. Raises: PL-USAGE where no key in use has that name."""
    with bench.monitoring.store.begin() as connection:
        found = next((key for key in keys.all_keys(connection) if key.name == name), None)
        document = None
        if found is not None and ends_streams:
            settings = msgspec.structs.replace(_settings(found), ends_streams=True)
            document = msgspec.json.encode(settings).decode()
        is_revoked = keys.revoke(connection, name, bench.now(), document)
    if not is_revoked:
        raise UsageError.of("PL-USAGE", variant="key_unknown", name=name)


def slots_by_route(config: Config) -> dict[str, list[str]]:
    """The accounts of every route; of the implicit one where none is configured."""
    if not config.gateway.routes:
        return {_IMPLICIT_ROUTE: [account.name for account in config.accounts]}
    return {route.name: [slot.account for slot in route.slots] for route in config.gateway.routes}


def team_problem(bench: "Workbench", name: str, wanted: Sequence[str] | None) -> Problem | None:
    """PL-TEAM-PLAN where a route the key may use has a plan for one person; with a route that has none, if any."""
    config = bench.configuration().config
    routes = slots_by_route(config)
    plan_of = {account.name: bench.plans[account.plan] for account in config.accounts}
    personal = {route: _personal(accounts, plan_of) for route, accounts in routes.items()}
    met = [(route, personal[route]) for route in wanted or routes if personal.get(route)]
    if not met:
        return None
    route, plan = met[0]
    money_route = next((other for other, found in personal.items() if found is None), None)
    facts: dict[str, object] = {"route": route, "plan": plan, "key": name, "money_route": money_route}
    return Problem(code="PL-TEAM-PLAN", facts=facts)


def _personal(accounts: Sequence[str], plan_of: "dict[str, Plan]") -> str | None:
    plans = (plan_of[account] for account in accounts if account in plan_of)
    return next((plan.label for plan in plans if plan.personal_use), None)


def _settings(key: StoredKey) -> KeySettings:
    """The settings of a key; of one written by another version nothing but that it has some."""
    try:
        return decoded(key.document, KeySettings)
    except (msgspec.DecodeError, msgspec.ValidationError):
        return KeySettings(owner="–")
