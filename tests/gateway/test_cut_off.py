"""What a client is told while places cannot be asked for, and what a reload takes over."""

from typing import Any

from msgspec.structs import replace

from perilune.gateway.admission import Admission, MemoryPlaces
from perilune.gateway.admission.port import OnFailure
from perilune.gateway.shared_thoughts import SharedThoughts
from perilune.gateway.thoughts import ThoughtStore
from perilune.store.engine import open_store

from .conftest import route, settings_of


class CutOff(MemoryPlaces):
    """Places whose server is gone, and nothing is let through meanwhile."""

    hosts = 1
    trouble: OnFailure | None = "closed"

    def take(self, group: str, cap: int, reserved: int, *, may_use_reserved: bool) -> int | None:
        return None


async def test_while_the_server_of_the_places_is_gone_the_refusal_says_so(build: Any) -> None:
    admission = Admission(CutOff())
    house = build(route("ci/kimi-k2.6", gateway="queue_timeout_s = 0.05"), admission=admission)
    admission.configure("ci", 50)
    answer = await house.client.chat()
    assert (answer.status, answer.error["code"]) == (429, "PL-GW-QUEUE")
    assert "the server that keeps the places cannot be asked" in answer.error["message"]


async def test_a_reload_takes_over_where_thoughts_are_kept(build: Any, tmp_path: Any) -> None:
    store = open_store(tmp_path / "perilune.db")
    house = build(route("ci/kimi-k2.6"), store=store)
    services = house.gateway.core.services
    first = services.thoughts
    assert type(first) is ThoughtStore
    config = settings_of(route("ci/kimi-k2.6"))

    def reload(kept: Any) -> None:
        house.gateway.reload(replace(config, gateway=replace(config.gateway, reasoning_store=kept)), {})

    reload("memory")
    assert services.thoughts is first
    reload("shared")
    assert isinstance(services.thoughts, SharedThoughts)
    reload("off")
    assert services.thoughts is None
    store.close()
