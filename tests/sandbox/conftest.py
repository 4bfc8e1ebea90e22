"""What the sandbox's own tests share."""

from typing import Any

import pytest
from tests.sandbox.plain_client import Answer, Ask, ask_at

from perilune.sandbox import SandboxThread


@pytest.fixture
def ask(sandbox: SandboxThread) -> Ask:
    """Asks the sandbox of this test."""

    def ask_sandbox(target: str, **given: Any) -> Answer:
        return ask_at(sandbox.url, target, **given)

    return ask_sandbox
