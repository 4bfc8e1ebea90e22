"""A slot's `override`: what it may hold. Any JSON object but what would change the request itself or its headers.

Source: gateway reference 2.4.
"""

from collections.abc import Collection, Mapping
from typing import Any

import msgspec

from perilune.core.errors import Problem

LARGEST_BYTES = 16 * 1024
_DIALECT_NAMESPACES = frozenset({"openaiCompatible", "openai", "anthropic"})
_KEPT_OUT = frozenset({"messages", "input", "system", "instructions", "tools", "stream"})
_HEADERS = frozenset({"header", "headers", "extra_headers", "user-agent", "user_agent", "authorization", "x-api-key"})


def unwrapped(override: Mapping[str, Any], providers: Collection[str]) -> Mapping[str, Any]:
    """Without a single provider namespace around it, as it stands in text pasted from elsewhere."""
    if len(override) == 1:
        name, inner = next(iter(override.items()))
        if (name in _DIALECT_NAMESPACES or name in providers) and isinstance(inner, dict):
            return inner
    return override


def override_problem(override: Mapping[str, Any], providers: Collection[str], place: str) -> Problem | None:
    """PL-CONFIG-VALUE for what an override may not be, None where it is fine."""
    if len(msgspec.json.encode(override)) > LARGEST_BYTES:
        return _problem("override_size", place, "")
    for key in unwrapped(override, providers):
        if key in _KEPT_OUT:
            return _problem("override_key", place, key)
        if key.lower() in _HEADERS:
            return _problem("override_header", place, key)
    return None


def _problem(variant: str, place: str, key: str) -> Problem:
    facts = {"place": place, "key": "override", "value": f"'{key}'", "limit": LARGEST_BYTES}
    return Problem(code="PL-CONFIG-VALUE", variant=variant, facts=facts)
