"""The models the vendors serve: windows, thinking, prices.

A small table of the sandbox's own, so that a fault in the catalogue cannot hide behind it.
"""

from decimal import Decimal
from typing import Literal

from msgspec import Struct

_M = 1_000_000


class Model(Struct, frozen=True, kw_only=True):
    """One served model.

    Units: prices per million tokens as (cache hit, miss, output); `weight` is how many requests one request counts.
    """

    id: str
    context: int = 262_144
    thinking: Literal["none", "only", "both"] = "both"
    form: Literal["toggle", "effort", "toggle+effort"] = "toggle"
    forced_tools: tuple[str, ...] = ()
    usd: tuple[str, str, str] | None = None
    cny: tuple[str, str, str] | None = None
    needs_paid: int = 0
    weight: Decimal = Decimal(1)
    display_name: str = ""
    protocol: str | None = None
    thinking_type: str | None = None
    lists_efforts: bool = False
    lists_tool_use: bool = False
    is_fixed: bool = True

    def price(self, currency: str, cached: int, fresh: int, output: int) -> Decimal:
        """What so many tokens cost; 0 where the vendor names no price in that currency."""
        row = self.usd if currency == "USD" else self.cny
        if row is None:
            return Decimal(0)
        hit, miss, out = (Decimal(amount) for amount in row)
        return (hit * cached + miss * fresh + out * output) / _M


_K3 = {"context": 1_048_576, "thinking": "only", "form": "effort", "forced_tools": ("required",)}


def _by_id(*models: Model) -> dict[str, Model]:
    return {model.id: model for model in models}


MOONSHOT = _by_id(
    Model(id="kimi-k3.1-pro", usd=("0.20", "2.00", "10.00"), needs_paid=1, **_K3),  # type: ignore[arg-type]
    Model(id="kimi-k3.1-pro-highspeed", usd=("0.20", "4.00", "20.00"), needs_paid=1, **_K3),  # type: ignore[arg-type]
    Model(id="kimi-k3", usd=("0.30", "3.00", "15.00"), cny=("2", "20", "100"), needs_paid=1, **_K3),  # type: ignore[arg-type]
    Model(id="kimi-k2.7-code", thinking="only", usd=("0.19", "0.95", "4.00"), cny=("1.3", "6.5", "27")),
    Model(id="kimi-k2.7-code-highspeed", thinking="only", usd=("0.38", "1.90", "8.00"), cny=("2.6", "13", "54")),
    Model(id="kimi-k2.6", usd=("0.16", "0.95", "4.00"), cny=("1.1", "6.5", "27")),
)

_BIG = 1_048_576
KIMI_CODE = _by_id(
    Model(
        id="kimi-for-coding", context=_BIG, form="toggle+effort", display_name="Kimi For Coding", thinking_type="both",
        lists_efforts=True, lists_tool_use=True,
    ),
    Model(id="k3", context=_BIG, form="toggle+effort", display_name="K3", thinking_type="both", lists_efforts=True),
    Model(id="k3-256k", form="toggle+effort", display_name="K3 256K", weight=Decimal("0.5")),
    Model(
        id="kimi-for-coding-highspeed", thinking="only", form="effort", display_name="HighSpeed", weight=Decimal(3),
        thinking_type="only", protocol="anthropic",
    ),
    Model(
        id="k3.1-pro", context=_BIG, thinking="only", form="effort", display_name="K3.1 Pro", thinking_type="only",
        lists_efforts=True,
    ),
)  # fmt: skip

CREATED = 1_795_000_000


def moonshot_row(model: Model) -> dict[str, object]:
    """A model as `GET /v1/models` lists it."""
    return {
        "id": model.id, "object": "model", "created": CREATED, "owned_by": "moonshot", "context_length": model.context,
        "supports_image_in": True, "supports_video_in": True, "supports_reasoning": True,
        "root": model.id, "parent": "", "permission": [],
    }  # fmt: skip


def kimi_code_row(model: Model) -> dict[str, object]:
    """A model as `GET /coding/v1/models` lists it."""
    row: dict[str, object] = {
        "id": model.id, "object": "model", "created": CREATED, "owned_by": "moonshot", "context_length": model.context,
        "supports_reasoning": True,
    }  # fmt: skip
    if model.thinking_type:
        row["supports_thinking_type"] = model.thinking_type
    if model.lists_efforts:
        row["think_efforts"] = {"support": True, "valid_efforts": ["low", "high", "max"], "default_effort": "high"}
    row |= {"supports_image_in": True, "supports_video_in": True}
    if model.lists_tool_use:
        row["supports_tool_use"] = True
    row["display_name"] = model.display_name
    if model.protocol:
        row["protocol"] = model.protocol
    return row


def unruled(model_id: str, context: int) -> Model:
    """A model without rules, as an own endpoint serves it."""
    return Model(id=model_id, context=context, thinking="none", is_fixed=False)
