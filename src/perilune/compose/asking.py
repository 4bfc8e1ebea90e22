"""Commands that ask the gateway: routes as they stand, a dry run, one small request."""

import asyncio
import tomllib
from collections.abc import Callable, Coroutine, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from perilune.compose.engine import Engine
from perilune.compose.explaining import explained
from perilune.compose.live import LiveService
from perilune.compose.service_routes import routes_of_service
from perilune.config.schema import GatewayConfig
from perilune.core.errors import ConfigError, Problem, UsageError
from perilune.core.messages import Language, Voice
from perilune.dialects.form import Dialect, Text
from perilune.dialects.translate import parse_answer
from perilune.faces.api.ports import AddedKey, RoutesDocument
from perilune.faces.cli.gateway import TriedSlot, Try
from perilune.gateway.call import Call, Reply
from perilune.net.listening import ListenAddress, parse_listen

if TYPE_CHECKING:
    from perilune.compose.monitoring import Monitoring
    from perilune.compose.workbench import Workbench

_USABLE = ("ok", "untested", "standby")
T = TypeVar("T")


class Idle:
    """An engine that serves nobody: what a command asks is answered from it."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.config_problem: Problem | None = None
        self.read_counts = None

    async def read(self, account: str | None) -> None:
        """Reads nothing: commands read by themselves."""


def with_engine(
    bench: "Workbench", work: Callable[[Engine], Coroutine[Any, Any, T]], monitoring: "Monitoring | None" = None
) -> T:
    """Run `work` with an engine over the configuration as it is, or another one, and close it."""

    async def run() -> T:
        engine = Engine(bench, monitoring or bench.monitoring_now())
        try:
            return await work(engine)
        finally:
            await engine.close()

    return asyncio.run(run())


def routes_now(bench: "Workbench", language: Language) -> tuple[RoutesDocument, bool]:
    """The routes as the running service has them, else as the next start would; and whether a service told so."""
    try:
        address = parse_listen(bench.configuration().config.gateway.listen)
    except ConfigError:
        told = routes_of_service(_listen_of_broken(bench), bench, language)
        if told is None:
            raise
        return told, True
    told = routes_of_service(address, bench, language)
    if told is not None:
        return told, True
    return with_engine(bench, lambda engine: _live(engine, str(address)).routes("en")), False


def _listen_of_broken(bench: "Workbench") -> ListenAddress:
    """Where a service listens that goes on with what the configuration was before it could no longer be used."""
    said = bench.environment.get("PERILUNE_GATEWAY_LISTEN")
    try:
        written = tomllib.loads(bench.paths.config_file.read_text(encoding="utf-8")).get("gateway")
        said = said or (written.get("listen") if isinstance(written, dict) else None)
    except (OSError, ValueError):
        pass  # the file says nothing that can be read
    return parse_listen(str(said or GatewayConfig().listen))


def dry_run(bench: "Workbench", model: str, priority: str = "interactive") -> Sequence[TriedSlot]:
    """Which slots would be used now for a model. Raises: PL-GW-ROUTE."""

    async def look(engine: Engine) -> Sequence[TriedSlot]:
        route = engine.gateway.core.setup.routes.match(model)
        if route is None:
            routes = ", ".join(one.name for one in engine.gateway.core.setup.routes.all)
            raise UsageError.of("PL-GW-ROUTE", model=model, routes=routes)
        document = await _live(engine, "").routes("en")
        slots = next(one.slots for one in document.routes if one.name == route.name)
        return [
            TriedSlot(
                slot=f"{slot.account}/{slot.model or model}",
                is_usable=slot.state in _USABLE and priority not in slot.closed_to,
                reason=slot.reason or slot.closed_to.get(priority),
                until=slot.until,
            )
            for slot in slots
        ]

    return with_engine(bench, look)


def small_request(model: str) -> bytes:
    """The one-line Chat request that is tried and previewed."""
    return msgspec.json.encode({"model": model, "messages": [{"role": "user", "content": "ping"}], "max_tokens": 64})


def try_model(bench: "Workbench", model: str, voice: Voice) -> Try:
    """One small real request through the routes; a refusal is told in the reader's words."""

    async def ask(engine: Engine) -> Try:
        loop = asyncio.get_running_loop()
        began = loop.time()
        call = Call(front=Dialect.CHAT, body=small_request(model), purpose="try")
        reply = await engine.gateway.core.answer(call)
        return _tried(engine, reply, round((loop.time() - began) * 1000), model)

    tried = with_engine(bench.in_language(voice.language), ask)
    return msgspec.structs.replace(tried, problem=explained(bench, tried.problem, voice))


def _tried(engine: Engine, reply: Reply, total_ms: int, model: str) -> Try:
    sent = [attempt for attempt in reply.attempts if attempt.was_sent]
    last = sent[-1] if sent else None
    slots = [slot for route in engine.gateway.core.setup.routes.all for slot in route.slots]
    slot = next((one for one in slots if one.account == reply.account), None)
    text = ""
    if reply.status == 200:
        parts = parse_answer(Dialect.CHAT, reply.body).parts
        text = "".join(part.text for part in parts if isinstance(part, Text))
    problem = None if reply.status == 200 else reply.problem or Problem(code="PL-GW-DOWN")
    return Try(
        route=reply.route,
        slot=reply.account,
        model=reply.served_model or (last.model if last else model),
        thinking=slot.config.thinking if slot else None,
        text=text[:200],
        first_ms=last.first_content_ms if last else None,
        total_ms=total_ms,
        input_tokens=reply.usage.input_total if reply.usage else None,
        output_tokens=reply.usage.output_total if reply.usage else None,
        cost=_cost(engine, slot, reply),
        is_quota=slot is not None and slot.costs_quota,
        request_id=reply.request_id,
        attempts=len(sent),
        problem=problem,
    )


def _cost(engine: Engine, slot: Any, reply: Reply) -> str | None:
    from perilune.compose.reviewing import cost_of

    money = None if slot is None else cost_of(engine, slot, reply)
    return None if money is None else f"{money.currency} {money.amount_text()}"


def _live(engine: Engine, listen: str) -> LiveService:
    return LiveService(Idle(engine), listen=lambda: listen, is_demo=False, wants_key=False, add_key=_no_key)


def _no_key(paste: str) -> AddedKey:
    return AddedKey(problem=Problem(code="PL-USAGE"))
