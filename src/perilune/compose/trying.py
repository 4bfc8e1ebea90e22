"""One tiny real request over one account, for `accounts test --inference`."""

from typing import TYPE_CHECKING

from msgspec.structs import replace

from perilune.compose.asking import with_engine
from perilune.compose.engine import Engine
from perilune.compose.explaining import explained
from perilune.config.load import Loaded
from perilune.config.schema import Config, RouteConfig, SlotConfig
from perilune.core.errors import UsageError
from perilune.core.messages import Voice
from perilune.gateway.trial import Trial, try_slot

if TYPE_CHECKING:
    from perilune.compose.workbench import Workbench

_ROUTE = "test"


def try_inference(bench: "Workbench", account: str, voice: Voice) -> Trial:
    """Ask an account's first slot as its route would.

    Raises: PL-USAGE where no model can be told, PL-GW-ROUTE where the plan cannot be asked at all.
    """

    async def ask(engine: Engine) -> Trial:
        route = engine.gateway.core.setup.routes.named(_ROUTE)
        if route is None or not route.slots:
            raise UsageError.of("PL-GW-ROUTE", variant="NONE")
        model = route.slots[0].config.model or _offered(engine, account, route.slots[0].plan.id)
        if model is None:
            raise UsageError.of(
                "PL-USAGE", variant="needs", command=f"perilune accounts test {account}", name="a slot with a model"
            )
        return await try_slot(engine.gateway.core, _ROUTE, model)

    alone = bench.monitoring_of(_alone(bench.configuration(), account))
    trial = with_engine(bench.in_language(voice.language), ask, alone)
    return replace(trial, problem=explained(bench, trial.problem, voice))


def _alone(loaded: Loaded, account: str) -> Loaded:
    """The configuration with one route of one slot: the account's first, or the one that no route at all implies."""
    config = loaded.config
    slots = [slot for route in config.gateway.routes for slot in route.slots if slot.account == account]
    slot = slots[0] if slots else SlotConfig(account=account, model=_card_model(config, account))
    route = RouteConfig(name=_ROUTE, slots=(slot,))
    accounts = tuple(replace(one, paused=False) if one.name == account else one for one in config.accounts)
    return replace(loaded, config=replace(config, accounts=accounts, gateway=replace(config.gateway, routes=(route,))))


def _card_model(config: Config, account: str) -> str | None:
    from perilune.providers.contract.registry import plan

    name = next(one.plan for one in config.accounts if one.name == account)
    found = plan(name)
    return None if found is None else found.default_model


def _offered(engine: Engine, account: str, plan: str) -> str | None:
    """The first current model that the account offers, else the first it offers."""
    models = engine.board.models(account)
    today = engine.bench.now().date()
    rows = ((name, engine.board.traits(account, plan, name)) for name in models)
    current = (name for name, row in rows if row is not None and row.state_on(today) == "current")
    return next(current, next(iter(models), None))
