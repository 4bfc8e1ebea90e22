"""A review's plan without the means to pay for it: no engine, no database toolkit, nothing that could ask or write."""

import contextlib
import time
from collections.abc import AsyncIterator, Callable, Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from perilune.compose.account_groups import group_accounts, identities_of
from perilune.compose.accounts import catalogue_of, known_of, learned_caps, secrets_of
from perilune.compose.board import Board
from perilune.compose.quota_view import BoardQuota, Seen
from perilune.config.schema import Config
from perilune.gateway.admission.learning import CapLearner, LearnedCap
from perilune.gateway.slots import Resolver
from perilune.net.upstream_map import VARIABLE, parse_upstream
from perilune.providers.contract.registry import providers
from perilune.review.ports import NoQuota
from perilune.review.services import ReviewServices

if TYPE_CHECKING:
    from perilune.compose.monitoring import Monitoring
    from perilune.compose.workbench import Workbench
    from perilune.review.ports import ModelAnswer


@contextlib.asynccontextmanager
async def previewing(bench: "Workbench") -> AsyncIterator[ReviewServices]:
    """What the preview of a review works with."""
    if not bench.configuration().config.accounts:
        yield ReviewServices(answerer=None, quota=NoQuota(), answers=Nothing(), clock=bench.now)
        return
    monitoring = bench.monitoring_now()
    try:
        yield ReviewServices(
            answerer=None,
            quota=preview_quota(bench, monitoring),
            answers=Nothing(),
            user=user_settings(monitoring.config),
            local_secret=bench.vault.fingerprint_key,
            clock=bench.now,
        )
    finally:
        monitoring.close()


def preview_quota(bench: "Workbench", monitoring: "Monitoring") -> BoardQuota:
    """What is left by the last readings that are stored."""
    config, catalogue = monitoring.config, catalogue_of(bench)
    board = Board(known_of(monitoring), catalogue, keep=lambda account, refusal: None, nudge=lambda account: None)
    board.load(monitoring.held(), bench.now())
    secrets = secrets_of(bench, config)
    read = {account.name: board.snapshot(account.name) for account in config.accounts}
    groups = group_accounts(config.accounts, secrets, identities_of(read))
    resolver = Resolver(
        config=config,
        providers=providers(),
        catalogue=catalogue,
        secrets=secrets,
        groups=groups,
        upstream=parse_upstream(bench.environment.get(VARIABLE)),
    )
    routes = resolver.routes()
    cap = _caps(bench, monitoring, groups)
    facts = monitoring.run_facts("")
    seen = Seen(
        routes=lambda: routes, board=board, catalogue=catalogue, cap=cap, now=bench.now, facts=lambda run: facts
    )
    return BoardQuota(seen, config.review.route)


def user_settings(config: Config) -> Mapping[str, Any]:
    """The `[review]` table of the user's configuration, as far as it says something."""
    table: dict[str, Any] = msgspec.to_builtins(config.review)
    return table


def _caps(bench: "Workbench", monitoring: "Monitoring", groups: Mapping[str, str]) -> Callable[[str], int | None]:
    """Caps as a service that starts now would have them: what is configured, and what refusals taught."""
    learners: dict[str, CapLearner] = {}
    least: dict[str, int] = {}
    for account in monitoring.config.accounts:
        plan = bench.plans.get(account.plan)
        configured = account.max_concurrent_requests or (plan.default_cap if plan is not None else None)
        if configured is not None:
            group = groups[account.name]
            least[group] = min(configured, least.get(group, configured))
    for group, cap in least.items():
        learners.setdefault(group, CapLearner()).configure(cap)
    started_s = time.monotonic()
    for group, value, for_s in learned_caps(monitoring, bench.now()):
        learners.setdefault(group, CapLearner()).recall(LearnedCap(value, started_s + for_s))
    return lambda group: learners[group].cap(time.monotonic()) if group in learners else None


class Nothing:
    """Keeps no answers: there is nobody to ask."""

    async def get(self, key: str) -> "ModelAnswer | None":
        """Never anything."""
        return None

    async def put(self, key: str, answer: "ModelAnswer") -> None:
        """Nothing is bought, so nothing is kept."""
