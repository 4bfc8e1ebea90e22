"""Models: what each can do and how it wants to be asked. An unknown model has no row, and gets nothing extra."""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from difflib import get_close_matches
from fnmatch import fnmatchcase
from typing import Literal

import msgspec
from msgspec import Struct

from perilune.core.live_models import LiveModel, Thinking

ThinkingForm = Literal["none", "toggle", "effort", "toggle+effort"]
State = Literal["current", "closing", "retired"]
Mark = Literal["D", "C", "L", "T", "U"]
Input = Literal["image", "video"]
Structured = Literal["json_schema", "json_object", "prompt"]


class Temperature(Struct, frozen=True, forbid_unknown_fields=True):
    """The one value the vendor accepts, by thinking; None where it is not known or not fixed."""

    thinking_on: float | None = None
    thinking_off: float | None = None


class Model(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One model's traits.

    Shape: `match` globs over the name, `aliases` further globs by plan; `starts` first day, `ends` first day without;
    `quota_factor` approximate cost in plan quota against `quota_factor_of`; `stands_for` what a floating name serves.
    Units: `context` and `max_output_default` tokens; `opens_after_top_up` amounts by currency, vouchers not counted.
    """

    id: str
    plans: tuple[str, ...]
    as_of: date | None = None
    mark: Mark = "U"
    match: tuple[str, ...] = ()
    aliases: dict[str, tuple[str, ...]] = {}
    starts: date | None = None
    ends: date | None = None
    state: State = "current"
    context: int | None = None
    max_output_default: int = 32768
    sampling: Literal["fixed", "free"] = "free"
    temperature: Temperature = Temperature()
    top_p: float | None = None
    thinking: Thinking = "none"
    thinking_form: ThinkingForm = "none"
    efforts: tuple[str, ...] = ()
    default_effort: str | None = None
    thinking_keep: bool = False
    may_reroute_without_thinking: bool = False
    tool_choice_with_thinking: tuple[str, ...] = ("auto", "none", "required", "named")
    structured: tuple[Structured, ...] = ("json_schema", "json_object", "prompt")
    function_name: str = "^[a-zA-Z_][a-zA-Z0-9-_]{2,63}$"
    max_tools: int = 128
    inputs: tuple[Input, ...] = ()
    supports_tools: bool = True
    is_floating: bool = False
    stands_for: str | None = None
    quota_factor: Decimal | None = None
    quota_factor_of: str | None = None
    has_batch: bool = False
    opens_with: str | None = None
    opens_after_top_up: dict[str, Decimal] = {}
    closed_to_accounts_since: date | None = None
    title: str | None = None  # the display name of a live list
    is_live: bool = False
    is_override: bool = False

    def names(self, plan: str) -> tuple[str, ...]:
        """The globs this model answers to on a plan; empty when it is not offered there."""
        own = (self.match or (self.id,)) if plan in self.plans else ()
        return own + self.aliases.get(plan, ())

    def state_on(self, day: date) -> State:
        """The state of a day: a model whose last day has passed is retired whatever the row says."""
        return "retired" if self.ends is not None and day >= self.ends else self.state


def find(models: Iterable[Model], plan: str, name: str) -> Model | None:
    """The row for a name on a plan: an exact id first, then the first row with a fitting glob, else None."""
    offered = [(model, model.names(plan)) for model in models]
    exact = (model for model, _ in offered if model.id == name and plan in model.plans)
    fitting = (model for model, names in offered if any(fnmatchcase(name, glob) for glob in names))
    return next(exact, None) or next(fitting, None)


def merge_live(shipped: Model | None, live: LiveModel, plan: str, day: date) -> Model:
    """A model as the vendor's live list describes it: context and capabilities from there, the rest as shipped.

    A model that only the live list knows keeps free sampling and is not asked for anything the list does not offer. A
    row that the user wrote stays as written.
    """
    if shipped is not None and shipped.is_override:
        return shipped
    known = shipped or Model(id=live.id, plans=(plan,), as_of=day, mark="L", max_output_default=8192)
    thinking = _thinking(known, live)
    return msgspec.structs.replace(
        known,
        as_of=day,
        is_live=True,
        context=live.context or known.context,
        thinking=thinking,
        thinking_form=_form(known, live, thinking),
        efforts=live.efforts or known.efforts,
        default_effort=live.default_effort or known.default_effort,
        inputs=_inputs(known, live),
        supports_tools=known.supports_tools if live.supports_tools is None else live.supports_tools,
        title=live.title or known.title,
    )


def closest(name: str, candidates: Iterable[str], count: int = 1) -> list[str]:
    """The names most like a mistyped one: those that go on where it stops, those it goes on from, the most alike."""
    typed = name.casefold()
    by_folded = {candidate.casefold(): candidate for candidate in candidates}
    longer = sorted((folded for folded in by_folded if typed and folded.startswith(typed)), key=len)
    shorter = sorted((f for f in by_folded if typed.startswith(f"{f}-")), key=len, reverse=True)
    alike = get_close_matches(typed, by_folded, n=count + len(longer) + len(shorter), cutoff=0.5)
    return [by_folded[folded] for folded in dict.fromkeys([*longer, *shorter, *alike])][:count]


def _thinking(known: Model, live: LiveModel) -> Thinking:
    if live.thinking is not None:
        return live.thinking
    return "none" if live.supports_reasoning is False else known.thinking


def _form(known: Model, live: LiveModel, thinking: Thinking) -> ThinkingForm:
    if thinking == "none":
        return "none"
    if live.thinking is None or live.thinking == known.thinking:
        return known.thinking_form
    has_efforts = bool(live.efforts or known.efforts)
    if thinking == "only":
        return "effort" if has_efforts else "none"
    return "toggle+effort" if has_efforts else "toggle"


def _inputs(known: Model, live: LiveModel) -> tuple[Input, ...]:
    said: dict[Input, bool | None] = {"image": live.supports_image, "video": live.supports_video}
    return tuple(kind for kind, offered in said.items() if offered or (offered is None and kind in known.inputs))
