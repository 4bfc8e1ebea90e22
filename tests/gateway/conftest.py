"""A gateway in this process over the played vendors; requests go straight into its ASGI callable."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from perilune.catalog.load import load
from perilune.catalog.models import Model
from perilune.config.schema import Config
from perilune.core.secret import Secret
from perilune.gateway.admission import Admission, MemoryPlaces
from perilune.gateway.build import Gateway, Parts, build_gateway
from perilune.gateway.record import AttemptRecord, PlainRecord, RequestRecord, records_of
from perilune.providers.contract.registry import providers
from perilune.quota.snapshot import Refusal, Snapshot
from perilune.quota.verdict import Verdict

from .wire import Wire

CATALOGUE = load()
KEYS = {
    "work": "sk-kimi-EXAMPLE0sandbox0cn0000000000000000001",
    "intl": "sk-kimi-EXAMPLE0sandbox0intl00000000000000001",
    "ci": "sk-EXAMPLE0sandbox0moonshot0intl0000000000001",
    "lab": "sk-EXAMPLE0sandbox0moonshot0cn000000000000001",
    "router": "sk-or-v1-EXAMPLE0sandbox0router000000000000001",
    "own": "EXAMPLE-own-endpoint-0001",
}
ACCOUNTS = """
[[accounts]]
name = "work"
plan = "kimi-code"
region = "cn"
[[accounts]]
name = "intl"
plan = "kimi-code"
region = "intl"
[[accounts]]
name = "ci"
plan = "moonshot"
region = "intl"
[[accounts]]
name = "lab"
plan = "moonshot"
region = "cn"
[[accounts]]
name = "router"
plan = "openrouter"
region = "global"
"""


class Clock:
    """The time as a test wants it: real, and moved ahead at will."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    def advance(self, seconds: float) -> None:
        self.ahead += timedelta(seconds=seconds)


@dataclass
class Readings:
    """What the monitor would know."""

    verdicts: dict[str, Verdict] = field(default_factory=dict)
    snapshots: dict[str, Snapshot] = field(default_factory=dict)
    refusals: list[Refusal] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)

    def verdict(self, account: str, now: datetime) -> Verdict | None:
        return self.verdicts.get(account)

    def snapshot(self, account: str) -> Snapshot | None:
        return self.snapshots.get(account)

    def traits(self, account: str, plan: str, model: str) -> Model | None:
        return CATALOGUE.model(plan, model)

    def refused(self, refusal: Refusal) -> None:
        self.refusals.append(refusal)

    def doubtful(self, account: str, now: datetime) -> None:
        self.doubts.append(account)

    def served(self, account: str, now: datetime) -> None:
        self.answers.append(account)


@dataclass
class Rows:
    """The ledger as a list."""

    requests: list[RequestRecord] = field(default_factory=list)
    attempts: list[list[AttemptRecord]] = field(default_factory=list)

    def record(self, request: RequestRecord, attempts: Sequence[AttemptRecord]) -> None:
        self.requests.append(request)
        self.attempts.append(list(attempts))

    def record_plain(self, plain: PlainRecord) -> None:
        self.record(*records_of(plain))


@dataclass
class Answer:
    """What a client got."""

    status: int
    headers: dict[str, str]
    chunks: list[bytes]

    @property
    def body(self) -> bytes:
        return b"".join(self.chunks)

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def error(self) -> Any:
        return self.json["error"]

    @property
    def attempts(self) -> int:
        return int(self.headers["x-perilune-attempts"])

    @property
    def adjusted(self) -> set[str]:
        return set(filter(None, self.headers.get("x-perilune-adjusted", "").split(",")))


class Client:
    """Speaks HTTP to the gateway over its own server; ASGI where a test writes headers that no server lets pass."""

    def __init__(self, gateway: Gateway) -> None:
        self._app = gateway.asgi
        self._wire = Wire(gateway)

    def begin_closed(self) -> None:
        """Have no connection to a vendor yet, as a gateway that has just begun."""
        self._wire.begin_closed()

    async def open(self) -> None:
        """Have connections to the vendors, as a gateway has that has answered before."""
        await self._wire.open()

    async def request(
        self,
        method: str,
        path: str,
        body: Any = None,
        headers: dict[str, str] | None = None,
        *,
        leave_after: int | None = None,
        raw_headers: list[tuple[bytes, bytes]] | None = None,
    ) -> Answer:
        payload = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        sent = {"host": "127.0.0.1:8787", "content-type": "application/json"} | (headers or {})
        if raw_headers is None:
            return Answer(*await self._wire.ask(method, path, sent, payload, leave_after))
        path, _, query = path.partition("?")
        scope = {
            "type": "http",
            "method": method,
            "path": path,
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "headers": raw_headers,
        }
        messages = [{"type": "http.request", "body": payload, "more_body": False}]
        left = asyncio.Event()  # nobody leaves here
        answer = Answer(0, {}, [])

        async def receive() -> dict[str, Any]:
            if messages:
                return messages.pop(0)
            await left.wait()
            return {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            if message["type"] == "http.response.start":
                answer.status = message["status"]
                answer.headers = {n.decode(): v.decode() for n, v in message["headers"]}
            elif message.get("body"):
                answer.chunks.append(message["body"])

        await self._app(scope, receive, send)
        return answer

    async def chat(self, text: str = "ping", *, stream: bool = False, **more: Any) -> Answer:
        headers = more.pop("headers", None)
        leave_after = more.pop("leave_after", None)
        body = {"model": "kimi-k2.6", "messages": [{"role": "user", "content": text}], "stream": stream} | more
        return await self.request("POST", "/v1/chat/completions", body, headers, leave_after=leave_after)

    async def responses(self, text: str = "ping", *, stream: bool = False, **more: Any) -> Answer:
        headers = more.pop("headers", None)
        body = {"model": "kimi-k2.6", "input": text, "stream": stream} | more
        return await self.request("POST", "/v1/responses", body, headers)

    async def messages(self, text: str = "ping", *, stream: bool = False, **more: Any) -> Answer:
        headers = more.pop("headers", None)
        body = {
            "model": "kimi-k2.6",
            "max_tokens": 1024,
            "messages": [{"role": "user", "content": text}],
            "stream": stream,
        } | more
        return await self.request("POST", "/v1/messages", body, headers)

    async def ask(self, dialect: str, *, stream: bool, **more: Any) -> Answer:
        return await getattr(self, dialect)(stream=stream, **more)


@dataclass
class House:
    """A gateway and everything around it."""

    gateway: Gateway
    client: Client
    readings: Readings
    rows: Rows
    clock: Clock
    admission: Admission
    changes: list[tuple[str, bool]]
    world: Any

    def in_flight(self) -> int:
        return sum(state.in_flight for state in self.admission.states())

    def seen(self, **globs: str) -> list[Any]:
        return [request for request in self.world.requests(**globs) if not request.path.endswith("/models")]


def route(*slots: str, extra: str = "", gateway: str = "") -> str:
    """A configuration with one route of slots `account/model`, each optionally with further settings behind `|`."""
    lines = []
    for slot in slots:
        name, _, more = slot.partition("|")
        account, _, model = name.partition("/")
        settings = [f'account = "{account}"'] + ([f'model = "{model}"'] if model else []) + ([more] if more else [])
        lines.append("{ " + ", ".join(settings) + " }")
    return (
        f'{ACCOUNTS}\n[gateway]\n{gateway}\n[[gateway.routes]]\nname = "default"\nslots = [{", ".join(lines)}]\n{extra}'
    )


def settings_of(config: str) -> Config:
    """A configuration text, read."""
    return msgspec.toml.decode(config, type=Config)


Build = Callable[..., House]


@pytest.fixture
async def build(sandbox: Any) -> AsyncIterator[Build]:
    """Builds gateways over the played vendors and closes them."""
    built: list[House] = []

    def make(config: str = "", *, guarded: bool = False, **parts: Any) -> House:
        clock, readings, rows, changes = Clock(), Readings(), Rows(), []
        admission = Admission(MemoryPlaces())
        settings = settings_of(config or route("work/kimi-for-coding", "ci/kimi-k2.6"))
        given = {
            "config": settings,
            "providers": providers(),
            "catalogue": CATALOGUE,
            "secrets": {name: Secret(key) for name, key in KEYS.items()},
            "admission": admission,
            "accounts": readings,
            "ledger": rows,
            "seal_key": b"k" * 32,
            "upstream": None if guarded else sandbox.url,
            "on_change": lambda state, opened: changes.append((state.scope, opened)),
            "now": clock,
            "jitter": lambda: 0.0,
        } | parts
        gateway = build_gateway(Parts(**given))
        house = House(gateway, Client(gateway), readings, rows, clock, admission, changes, sandbox.world)
        built.append(house)
        return house

    yield make
    for house in built:
        await house.gateway.close(drain_s=0)
        house.admission.close()
