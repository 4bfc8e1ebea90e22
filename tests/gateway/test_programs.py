"""The unmodified openai and anthropic packages against the gateway, served by a real server."""

import asyncio
import threading
import time
from collections.abc import Iterator
from typing import Any

import anthropic
import openai
import pytest

from perilune.net.listening import ListenAddress, bind
from perilune.net.server import Listener

from .conftest import route

QUESTION = [{"role": "user", "content": "ping"}]


class Served:
    """A gateway with a loop and a server of its own in a thread."""

    def __init__(self, build: Any, config: str) -> None:
        self._build, self._config = build, config
        self.url = ""
        self.house: Any = None
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True)

    def __enter__(self) -> "Served":
        self._thread.start()
        assert self._ready.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        self.loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)

    def settle(self) -> None:
        """Wait until the loop has done what it was doing."""
        asyncio.run_coroutine_threadsafe(asyncio.sleep(0), self.loop).result(5)

    async def _serve(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.house = self._build(self._config)
        self._stop = asyncio.Event()
        gateway = self.house.gateway
        listener = Listener(gateway.asgi, lambda: gateway.lane)
        listening = bind(ListenAddress("127.0.0.1", 0))
        await listener.start(listening)
        self.url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        self._ready.set()
        await self._stop.wait()
        await listener.stop(0)
        listening.close()
        await self.house.gateway.close(drain_s=0)


@pytest.fixture
def served(sandbox: Any) -> Iterator[Any]:
    """Serves configurations; the house is built inside the server's own loop."""
    from perilune.core.secret import Secret
    from perilune.gateway.admission import Admission, MemoryPlaces
    from perilune.gateway.build import Parts, build_gateway

    from .conftest import CATALOGUE, KEYS, Client, Clock, House, Readings, Rows, providers, settings_of

    def build(config: str) -> House:
        clock, readings, rows, admission = Clock(), Readings(), Rows(), Admission(MemoryPlaces())
        gateway = build_gateway(
            Parts(
                config=settings_of(config),
                providers=providers(),
                catalogue=CATALOGUE,
                secrets={name: Secret(key) for name, key in KEYS.items()},
                admission=admission,
                accounts=readings,
                ledger=rows,
                seal_key=b"k" * 32,
                upstream=sandbox.url,
            )
        )
        return House(gateway, Client(gateway), readings, rows, clock, admission, [], sandbox.world)

    running: list[Served] = []

    def start(config: str) -> Served:
        running.append(Served(build, config).__enter__())
        return running[-1]

    yield start
    for one in running:
        one.__exit__()


@pytest.mark.parametrize("slot", ["work/kimi-for-coding", "ci/kimi-k2.6"])
def test_openai_chat_responses_and_models(served: Any, slot: str) -> None:
    house = served(route(slot))
    with openai.OpenAI(base_url=f"{house.url}/v1", api_key="x", max_retries=0) as client:
        whole = client.chat.completions.create(model="m", messages=QUESTION)
        assert whole.choices[0].message.content == "PONG from sandbox"
        options = {"include_usage": True}
        chunks = list(client.chat.completions.create(model="m", messages=QUESTION, stream=True, stream_options=options))
        assert "".join(c.choices[0].delta.content or "" for c in chunks if c.choices) == "PONG from sandbox"
        assert chunks[-1].usage.completion_tokens > 0
        assert client.responses.create(model="m", input="ping").output_text == "PONG from sandbox"
        events = list(client.responses.create(model="m", input="ping", stream=True))
        assert events[-1].type == "response.completed"
        assert [model.id for model in client.models.list()] == [slot.split("/")[1]]


@pytest.mark.parametrize("slot", ["work/kimi-for-coding", "ci/kimi-k2.6"])
def test_anthropic_messages_streams_and_counts(served: Any, slot: str) -> None:
    house = served(route(slot))
    with anthropic.Anthropic(base_url=house.url, auth_token="x", max_retries=0) as client:
        asked = {"model": "m", "max_tokens": 256, "messages": QUESTION}
        whole = client.messages.create(**asked)
        assert "".join(block.text for block in whole.content if block.type == "text") == "PONG from sandbox"
        with client.messages.stream(**asked) as stream:
            assert "".join(stream.text_stream) == "PONG from sandbox"
        assert client.messages.count_tokens(model="m", messages=QUESTION).input_tokens > 0


@pytest.mark.case("gateway CC-04")
def test_a_client_does_not_hammer_when_the_money_is_gone(served: Any) -> None:
    house = served(route("ci/kimi-k2.6"))
    house.house.world.queue_fault(count=None, refusal="dev-err-429-balance-suspended")
    with (
        openai.OpenAI(base_url=f"{house.url}/v1", api_key="x") as client,
        pytest.raises(openai.APIStatusError) as caught,
    ):
        client.chat.completions.create(model="m", messages=QUESTION)
    assert caught.value.status_code == 402
    assert len(house.house.rows.requests) == 1


def test_a_client_that_closes_its_connection_frees_the_upstream(served: Any) -> None:
    house = served(route("ci/kimi-k2.6"))
    world = house.house.world
    world.queue_fault(stall_after=5)
    with openai.OpenAI(base_url=f"{house.url}/v1", api_key="x", max_retries=0) as client:
        stream = client.chat.completions.create(model="m", messages=QUESTION, stream=True)
        next(iter(stream))
        left_at = time.monotonic()
        stream.close()
        world.wait_for(lambda w: w.in_flight("moonshot-intl") == 0)
    house.settle()
    assert time.monotonic() - left_at < 5
    assert house.house.in_flight() == 0
