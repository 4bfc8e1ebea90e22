"""Fixed mode: three variables, as self-hosted review servers already set them, are one account on one route."""

from collections.abc import Mapping

from msgspec import Struct

from perilune.catalog.plan import Plan
from perilune.config.base_url import official_home, repaired_base_url
from perilune.config.schema import AccountConfig, Config, GatewayConfig, RouteConfig, SlotConfig
from perilune.core.keys import clean_key

MODEL, BASE_URL, KEY = FIXED_NAMES = ("API_LLM_PROVIDER_MODEL", "API_OPENAI_FORCE_BASE_URL", "API_OPEN_AI_API_KEY")
ACCOUNT = "fixed"


class FixedMode(Struct, frozen=True):
    """The fixed configuration, or the names that are missing for it. Neither when fixed mode is not meant."""

    config: Config | None = None
    missing: tuple[str, ...] = ()


def fixed_mode(environment: Mapping[str, str], plans: Mapping[str, Plan]) -> FixedMode:
    """What the three variables make. A model of `auto` or none means that fixed mode is off."""
    values = {name: clean_key(environment.get(name, "")) for name in FIXED_NAMES}
    if values[MODEL].lower() == "auto" or not any(values.values()):
        return FixedMode()
    missing = tuple(name for name in FIXED_NAMES if not values[name])
    if missing:
        return FixedMode(missing=missing)
    account = _account(values[BASE_URL], plans, environment.get("PERILUNE_UPSTREAM"))
    route = RouteConfig(name="default", slots=(SlotConfig(account=ACCOUNT, model=values[MODEL]),))
    return FixedMode(config=Config(accounts=(account,), gateway=GatewayConfig(routes=(route,))))


def _account(base_url: str, plans: Mapping[str, Plan], upstream: str | None) -> AccountConfig:
    base_url = repaired_base_url(base_url)
    key = f"env:{KEY}"
    home = official_home(base_url, plans, upstream)
    if home is not None:
        plan, region = home
        cap = plan.default_cap
        return AccountConfig(name=ACCOUNT, plan=plan.id, region=region.id, key=key, max_concurrent_requests=cap)
    plan_id = next((plan.id for plan in plans.values() if _speaks_for(plan, base_url)), _generic(plans))
    return AccountConfig(name=ACCOUNT, plan=plan_id, key=key, base_url=base_url)


def _speaks_for(plan: Plan, base_url: str) -> bool:
    return any(base_url.lower().startswith(f"https://{host}") for host in plan.known_hosts)


def _generic(plans: Mapping[str, Plan]) -> str:
    """The plan for any address that speaks the dialect of these variables."""
    return next(plan.id for plan in plans.values() if plan.needs_base_url and "chat" in plan.surfaces)
