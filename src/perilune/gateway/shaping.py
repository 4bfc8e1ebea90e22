"""From the client's body to the one that leaves: passed through by splice or translated, then the parameter rules."""

from collections.abc import Mapping
from typing import Literal, cast

from msgspec import Struct
from msgspec.structs import replace

from perilune.catalog.estimate import estimate_body, text_size
from perilune.catalog.models import Model
from perilune.catalog.plan import Surface
from perilune.dialects.form import Dialect
from perilune.dialects.head import Body, Head
from perilune.dialects.pass_through import pass_through
from perilune.dialects.splice import REMOVE
from perilune.dialects.target import Context, Hooks, Target
from perilune.dialects.thinking import Thinking, wanted_thinking
from perilune.dialects.translate import parse_request, prepare_request
from perilune.gateway.forcing import Mind, forcing_changes, mind_of, notice_of, thinks
from perilune.gateway.override import override_changes
from perilune.gateway.slots import Slot
from perilune.providers.contract.send import Asked
from perilune.providers.contract.table import Found

Structured = Literal["native", "json_object", "tool", "prompt"]
_DEFAULT_LIMIT = 8192
_LARGEST_BUDGET = 15_000


class Corrections(Struct, frozen=True):
    """What a vendor's 400 taught about a model of an account: parameters to leave out, steps to go down."""

    drop: frozenset[str] = frozenset()
    thinking_off: bool = False
    thinking_budget: bool = False
    structured: Structured | None = None


class Prepared(Struct, frozen=True, kw_only=True):
    """A body ready to leave.

    Shape: `context` is what its answer's way back needs; `is_relayed` that the answer's bytes go back as they come.
    """

    surface: Surface
    model: str
    body: bytes
    context: Context
    is_relayed: bool
    adjusted: tuple[str, ...]
    is_stream: bool
    wants_thoughts: bool = False


class Shaper:
    """Shapes one request for one slot after another. The prompt is counted when something depends on it."""

    def __init__(self, front: Dialect, body: Body, *, stream_upstream: bool, session: str | None = None) -> None:
        self.front = front
        self.body = body
        self._stream_upstream = stream_upstream
        self._session = session or ""
        self._prompt_tokens: int | None = None

    @property
    def prompt_tokens(self) -> int:
        """Estimated tokens of the prompt; a byte is at most one."""
        if self._prompt_tokens is None:
            self._prompt_tokens = estimate_body(self.body.bytes)
        return self._prompt_tokens

    def tokens_above(self, limit: int) -> int:
        """The estimate where it can be above a limit at all, else 0: then nothing depends on it."""
        return self.prompt_tokens if len(self.body.bytes) > limit else 0

    def refused_before(self, slot: Slot) -> Found | None:
        """What is known to be refused by this slot without a call."""
        if slot.sender.refuse_before(len(self.body.bytes)) is None:
            return None
        return slot.sender.refuse_before(text_size(self.body.bytes))

    def prepare(
        self, slot: Slot, surface: Surface, traits: Model | None, hooks: Hooks, corrections: Corrections
    ) -> Prepared:
        """The body for this slot. Raises: RequestError PL-UNSUPPORTED, PL-BODY-INVALID."""
        behind = Dialect(surface)
        model = slot.config.model or self.body.head.model
        said = slot.config.thinking or wanted_thinking(self.body.head)
        mind = mind_of(self.body.head, said, traits, thinking_off=corrections.thinking_off)
        target = self._target(slot, behind, model, traits, mind, corrections)
        if behind is self.front:
            passed = pass_through(behind, self.body, target, hooks)
            body, context, adjusted = passed.body, passed.context, list(passed.adjusted)
        else:
            translated = prepare_request(self.front, target, parse_request(self.front, self.body.bytes), hooks)
            body, context, adjusted = translated.body, translated.context, list(translated.adjusted)
        wants_stream = bool(self.body.head.stream)
        is_stream = wants_stream or (self._stream_upstream and slot.ways.streams_always)
        leaving = self.body if body is self.body.bytes else Body(body)
        asked = Asked(
            surface=behind,
            head=leaving.head,
            model=model,
            traits=traits,
            thinking=mind.thinking,
            cap=slot.config.max_output_tokens,
            prompt_tokens=self._tokens_in(traits, leaving.head, slot),
        )
        shaped = slot.sender.shape(asked)
        changes = shaped.changes | _basics(leaving, model, behind, is_stream=is_stream)
        changes |= forcing_changes(mind.forcing, leaving, behind)
        if corrections.thinking_budget and behind is Dialect.MESSAGES:
            changes |= _budget(leaving, changes)
        changes |= {name: REMOVE for name in corrections.drop if name in leaving.members}
        if slot.config.override:
            changes |= override_changes(slot.config.override, leaving.members)
        return Prepared(
            surface=surface,
            model=model,
            body=leaving.spliced(changes),
            context=context or Context(client=self.front, upstream=behind, include_usage=self.body.head.include_usage),
            is_relayed=context is None,
            adjusted=tuple(dict.fromkeys((*adjusted, *shaped.adjusted, *mind.notes, *sorted(corrections.drop)))),
            is_stream=is_stream,
            wants_thoughts=target.needs_reasoning and "tools" in self.body.members,
        )

    def _tokens_in(self, traits: Model | None, head: Head, slot: Slot) -> int:
        """The prompt's tokens, where prompt and output limit together may not fit the window."""
        if traits is None or traits.context is None:
            return 0
        limits = (head.max_output or traits.max_output_default, slot.config.max_output_tokens or 0)
        return self.tokens_above(traits.context - max(limits))

    def _target(
        self,
        slot: Slot,
        behind: Dialect,
        model: str,
        traits: Model | None,
        mind: Mind,
        corrections: Corrections,
    ) -> Target:
        ways, thinking = slot.ways, mind.thinking
        is_crossing = behind is not self.front
        return Target(
            dialect=behind,
            model=model if is_crossing else None,
            family=ways.family,
            checks_signatures=ways.checks_signatures,
            needs_reasoning=ways.needs_reasoning and thinks(traits, thinking),
            takes_image_urls=ways.takes_image_urls,
            takes_system_turns=ways.takes_system_turns,
            takes_partial=ways.takes_partial,
            takes_session=ways.takes_session,
            renumbers_calls=ways.renumbers_calls and is_crossing,
            structured=corrections.structured or _structured(traits, behind, thinking, is_crossing=is_crossing),
            max_output_default=_default_limit(traits, self._tokens_in(traits, self.body.head, slot)),
            function_name=None if traits is None else traits.function_name,
            max_tools=None if traits is None else traits.max_tools,
            session=self._session if is_crossing and ways.names_session and behind is Dialect.CHAT else "",
            notice=notice_of(self.body.head) if mind.forcing == "told" else "",
        )


def _basics(leaving: Body, model: str, behind: Dialect, *, is_stream: bool) -> dict[str, object]:
    """Model, stream and the usage chunk that is always asked for."""
    changes: dict[str, object] = {}
    head = leaving.head
    if head.model != model:
        changes["model"] = model
    if bool(head.stream) != is_stream:
        changes["stream"] = is_stream
    if behind is Dialect.CHAT and is_stream and not head.include_usage:
        options = head.stream_options if isinstance(head.stream_options, dict) else {}
        changes["stream_options"] = {**options, "include_usage": True}
    return changes


def _budget(leaving: Body, changes: Mapping[str, object]) -> dict[str, object]:
    """Thinking with a number of tokens, for an upstream that insists on one."""
    thinking = changes.get("thinking", leaving.head.thinking)
    limit = changes.get("max_tokens", leaving.head.max_tokens)
    if not isinstance(thinking, dict) or thinking.get("type") != "enabled" or not isinstance(limit, int):
        return {}
    return {"thinking": {**thinking, "budget_tokens": max(min(_LARGEST_BUDGET, limit - 1), 1)}}


def _structured(traits: Model | None, behind: Dialect, thinking: Thinking | None, *, is_crossing: bool) -> Structured:
    if behind is Dialect.MESSAGES:
        if not is_crossing:
            return "native"
        return "prompt" if thinks(traits, thinking) else "tool"
    first = "json_schema" if traits is None or not traits.structured else traits.structured[0]
    return "native" if first == "json_schema" else cast("Structured", first)


def _default_limit(traits: Model | None, prompt_tokens: int) -> int:
    if traits is None:
        return _DEFAULT_LIMIT
    room = traits.max_output_default if traits.context is None else traits.context - prompt_tokens
    return max(min(traits.max_output_default, room), 1)


def with_correction(corrections: Corrections, parameter: str | None, traits: Model | None) -> Corrections | None:
    """What to try after a 400 that named a parameter; None when there is nothing to put right."""
    match parameter:
        case None:
            return None
        case "reasoning_content" | "thinking" | "tool_choice":
            can_stop = traits is not None and traits.thinking == "both" and not corrections.thinking_off
            return replace(corrections, thinking_off=True) if can_stop else None
        case "budget_tokens":
            return None if corrections.thinking_budget else replace(corrections, thinking_budget=True)
        case "response_format":
            steps: dict[Structured | None, Structured] = {None: "json_object", "native": "json_object"}
            following = steps.get(corrections.structured, "prompt")
            return None if corrections.structured == "prompt" else replace(corrections, structured=following)
        case "sampling":
            names = frozenset({"temperature", "top_p", "presence_penalty", "frequency_penalty"})
            return replace(corrections, drop=corrections.drop | names)
        case _:
            return None if parameter in corrections.drop else replace(corrections, drop=corrections.drop | {parameter})
