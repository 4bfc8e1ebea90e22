"""What the tests of the configuration share."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from perilune.config.complete import complete
from perilune.config.load import Loaded, load
from perilune.providers.contract.registry import providers

Completed = Callable[..., Loaded]


@pytest.fixture
def completed(tmp_path: Path) -> Completed:
    """Load a text with an environment, as commands see it. `None` is a missing file."""

    def of(text: str | None = None, environment: Mapping[str, str] | None = None) -> Loaded:
        file = tmp_path / "config.toml"
        if text is not None:
            file.write_text(text, encoding="utf-8")
            file.chmod(0o600)
        plans = {name: provider.plan for name, provider in providers().items()}
        return complete(load(file, environment or {}), environment or {}, plans)

    return of
