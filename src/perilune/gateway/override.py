"""A slot's `override`: any JSON object merged into the final body. Pure. Source: gateway reference 2.4."""

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Raw

from perilune.config.overrides import unwrapped
from perilune.dialects.splice import REMOVE
from perilune.providers.contract.registry import providers


def override_changes(override: Mapping[str, Any], members: Mapping[str, Raw]) -> dict[str, object]:
    """The top-level replacements that merge the override into a body with these members; null takes a key out."""
    changes: dict[str, object] = {}
    for key, value in unwrapped(override, providers()).items():
        if value is None:
            changes[key] = REMOVE
        elif isinstance(value, dict):
            changes[key] = merged(_decoded(members.get(key)), value)
        else:
            changes[key] = value
    return changes


def merged(base: Any, over: Mapping[str, Any]) -> dict[str, Any]:
    """Objects merge key by key, arrays and scalars replace, null deletes."""
    result: dict[str, Any] = dict(base) if isinstance(base, dict) else {}
    for key, value in over.items():
        if value is None:
            result.pop(key, None)
        elif isinstance(value, dict):
            result[key] = merged(result.get(key), value)
        else:
            result[key] = value
    return result


def _decoded(raw: Raw | None) -> Any:
    return None if raw is None else msgspec.json.decode(raw)
