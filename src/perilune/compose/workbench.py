"""The workbench: what commands ask for, built when first needed."""

import os
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from perilune.config.load import Loaded
    from perilune.config.paths import Paths
    from perilune.config.schema import DisplayConfig


class Workbench:
    """Hands commands their services. Nothing is imported, opened or started before it is asked for."""

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        self.environment: Mapping[str, str] = os.environ if environment is None else environment

    def now(self) -> datetime:
        """This moment."""
        return datetime.now(UTC)

    @cached_property
    def paths(self) -> "Paths":
        """The folders and files of this user."""
        from perilune.config.paths import find_paths

        return find_paths(self.environment)

    def configuration(self) -> "Loaded":
        """The configuration of this run, with what it was made of."""
        from perilune.config.load import load

        return load(self.paths.config_file, self.environment)

    def display(self) -> "DisplayConfig":
        """How figures are shown; the defaults where the configuration cannot be read, which is said elsewhere."""
        from perilune.config.schema import DisplayConfig
        from perilune.core.errors import ConfigError

        if not self.paths.config_file.exists() and not any(
            name.startswith("PERILUNE_DISPLAY_") for name in self.environment
        ):
            return DisplayConfig()
        try:
            return self.configuration().config.display
        except ConfigError:
            return DisplayConfig()
