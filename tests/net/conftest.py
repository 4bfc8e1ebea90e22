from collections.abc import AsyncIterator

import pytest
from tests.support.loopback import LoopbackServer, loopback_server


@pytest.fixture
async def loopback() -> AsyncIterator[LoopbackServer]:
    async with loopback_server() as server:
        yield server
