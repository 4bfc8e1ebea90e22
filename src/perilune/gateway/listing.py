"""`GET /v1/models`: the models of every usable slot, in a form that both families of clients read."""

from datetime import UTC, datetime
from typing import Any

from perilune.catalog.models import Model
from perilune.gateway.ports import Accounts
from perilune.gateway.slots import Routes, Slot

_CREATED = int(datetime(2026, 1, 1, tzinfo=UTC).timestamp())


def list_models(routes: Routes, accounts: Accounts) -> list[dict[str, Any]]:
    """One entry a name; its abilities are what every slot offering that name can do."""
    entries: dict[str, dict[str, Any]] = {}
    for route in routes.all:
        for slot in route.slots:
            for name in _names(slot, accounts):
                entry = _entry(name, slot, accounts.traits(slot.account, slot.plan.id, name))
                entries[name] = entry if name not in entries else _narrowed(entries[name], entry)
    return list(entries.values())


def _names(slot: Slot, accounts: Accounts) -> tuple[str, ...]:
    if slot.config.model is not None:
        return (slot.config.model,)
    snapshot = accounts.snapshot(slot.account)
    return () if snapshot is None else snapshot.models


def _entry(name: str, slot: Slot, traits: Model | None) -> dict[str, Any]:
    return {
        "id": name,
        "object": "model",
        "type": "model",
        "created": _CREATED,
        "created_at": "2026-01-01T00:00:00Z",
        "owned_by": slot.plan.id,
        "display_name": (traits.title if traits is not None else None) or name,
        "context_length": None if traits is None else traits.context,
        "supports_reasoning": traits is not None and traits.thinking != "none",
        "supports_image_in": traits is not None and "image" in traits.inputs,
    }


def _narrowed(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    known = [entry["context_length"] for entry in (one, other) if entry["context_length"] is not None]
    return one | {
        "context_length": min(known, default=None),
        "supports_reasoning": one["supports_reasoning"] and other["supports_reasoning"],
        "supports_image_in": one["supports_image_in"] and other["supports_image_in"],
    }
