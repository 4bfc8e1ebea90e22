"""The JSON Schema of `config.toml`, from its types."""

from typing import Any

import msgspec

from perilune.config.schema import Config

NAME = "config"


def config_schema() -> dict[str, Any]:
    """The schema of the configuration file."""
    schema = msgspec.json.schema(Config)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "perilune config.toml", **schema}
