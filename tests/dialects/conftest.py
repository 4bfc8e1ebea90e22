"""The contract samples as streams and bodies, and short ways to translate."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from perilune.dialects.form import Dialect
from perilune.dialects.seal import Seal
from perilune.dialects.target import Context, Frame, Hooks, Target, Translated
from perilune.dialects.translate import translate_request

CONTRACTS = Path(__file__).parents[1] / "contracts"
FRAME = Frame(id="answer_1", model="kimi-k2.6", created=1795000000, seal=Seal(b"k" * 32))


def _sample(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((CONTRACTS / f"{name}.json").read_text(encoding="utf-8"))
    return loaded


def _wire(sample: dict[str, Any]) -> bytes:
    """The bytes of a sample's stream as its server would send them."""
    response = sample["response"]
    if "sse_data" in response:
        texts = [data if isinstance(data, str) else json.dumps(data) for data in response["sse_data"]]
        return "".join(f"data: {text}\n\n" for text in texts).encode()
    events = response["sse_events"]
    return "".join(f"event: {name}\ndata: {json.dumps({'type': name} | data)}\n\n" for name, data in events).encode()


@pytest.fixture
def sample() -> Callable[[str], dict[str, Any]]:
    return _sample


@pytest.fixture
def stream_of() -> Callable[[str], bytes]:
    return lambda name: _wire(_sample(name))


@pytest.fixture
def frame() -> Frame:
    return FRAME


@pytest.fixture
def context() -> Callable[..., Context]:
    def made(upstream: str, client: str, **more: Any) -> Context:
        return Context(client=Dialect(client), upstream=Dialect(upstream), **more)

    return made


@pytest.fixture
def translate() -> Callable[..., tuple[dict[str, Any], Translated]]:
    def done(
        source: str, target: str, body: object, hooks: Hooks | None = None, **target_fields: Any
    ) -> tuple[dict[str, Any], Translated]:
        wanted = Target(dialect=Dialect(target), **target_fields)
        translated = translate_request(Dialect(source), wanted, json.dumps(body).encode(), hooks)
        return json.loads(translated.body), translated

    return done
