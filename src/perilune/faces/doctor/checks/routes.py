"""Routes: their models are offered to their accounts, their caps are not above what a plan allows."""

from collections.abc import Iterator

from perilune.config.schema import AccountConfig, SlotConfig
from perilune.core.addresses import host_of
from perilune.core.errors import Problem
from perilune.faces.doctor.check import Check, Found, of_problem
from perilune.faces.doctor.scene import Scene


def _look(scene: Scene) -> Iterator[Found]:
    if scene.loaded is None or not scene.accounts:
        return
    routes = scene.loaded.config.gateway.routes
    odd = [*_models(scene), *_caps(scene)]
    yield from odd
    if not odd:
        count = len(routes) or 1
        yield Found(
            status="ok", detail=scene.say("doctor.routes.one" if count == 1 else "doctor.routes.ok", count=count)
        )


def _models(scene: Scene) -> Iterator[Found]:
    """A model that the account's own list, read once a day, does not have."""
    accounts = {account.name: account for account in scene.accounts}
    held = scene.monitoring.held()
    for route in scene.loaded.config.gateway.routes if scene.loaded else ():
        for slot in route.slots:
            snapshot = held[slot.account].snapshot if slot.account in held else None
            offered = snapshot.models if snapshot is not None else ()
            if slot.model and offered and slot.model not in offered:
                yield _unknown(slot, accounts[slot.account], offered, scene)


def _unknown(slot: SlotConfig, account: AccountConfig, offered: tuple[str, ...], scene: Scene) -> Found:
    day, plan = scene.voice.now.date(), scene.plans[account.plan]
    closest = scene.services.catalogue.closest_model(account.plan, slot.model or "", day, offered)
    region = plan.region(account.region)
    address = account.base_url or (region.read_base if region else None)
    facts = {"model": slot.model, "closest": closest, "host": host_of(address) if address else plan.label}
    problem = Problem(code="PL-404-MODEL", variant="" if closest else "ALONE", facts=facts, account=account.name)
    return of_problem(problem, scene.voice, "warn", subject=account.name)


def _caps(scene: Scene) -> Iterator[Found]:
    for account in scene.accounts:
        plan, own = scene.plans.get(account.plan), account.max_concurrent_requests
        if plan is not None and plan.default_cap is not None and own is not None and own > plan.default_cap:
            told = scene.say("doctor.routes.cap", account=account.name, cap=own, allowed=plan.default_cap)
            fix = f"perilune accounts set {account.name} --max-concurrent-requests {plan.default_cap}"
            yield Found(status="warn", detail=told, subject=account.name, fix=(fix,))


CHECK = Check(name="routes", place=70, look=_look)
