"""Reasoning on its way to an upstream. Source: the table "On the way back in" of the gateway reference 1.4."""

import operator
from collections.abc import Iterable

from msgspec.structs import replace

from perilune.dialects.form import Dialect, Part, Reasoning, Request, ToolCall, Turn
from perilune.dialects.keys import History
from perilune.dialects.seal import is_ours
from perilune.dialects.target import Hooks, Target, TurnKeys


def with_thoughts(request: Request, target: Target, hooks: Hooks, adjusted: list[str]) -> Request:
    """The request with each thought in the form the target takes, and lost ones put back where they are needed."""
    if not (hooks.recall or target.needs_reasoning) and not _has_thoughts(request.turns):
        return request
    history = History()
    turns: list[Turn] = []
    for turn in request.turns:
        if turn.role == "assistant":
            keys = history.keys(turn) if hooks.recall is not None else None
            turns.append(_Thinker(target, hooks, keys, adjusted).prepared(turn))
        else:
            turns.append(turn)
        if hooks.recall is not None:
            history.add(turn)
    return replace(request, turns=tuple(turns))


def _has_thoughts(turns: Iterable[Turn]) -> bool:
    return any(isinstance(part, Reasoning) for turn in turns for part in turn.parts)


class _Thinker:
    """Works on one assistant turn; the store is asked at most once."""

    __slots__ = ("_adjusted", "_hooks", "_keys", "_stored", "_target", "_was_asked")

    def __init__(self, target: Target, hooks: Hooks, keys: TurnKeys | None, adjusted: list[str]) -> None:
        self._target, self._hooks, self._keys, self._adjusted = target, hooks, keys, adjusted
        self._stored: Reasoning | None = None
        self._was_asked = False

    def prepared(self, turn: Turn) -> Turn:
        parts: list[Part] = []
        has_calls = any(isinstance(part, ToolCall) for part in turn.parts)
        for part in turn.parts:
            is_to_change = isinstance(part, Reasoning) and (has_calls or not self._is_harmless(part))
            kept = self._thought(part) if is_to_change and isinstance(part, Reasoning) else part
            parts += [] if kept is None else [kept]
        if has_calls and not any(isinstance(part, Reasoning) for part in parts):
            parts = [*self._found_again(), *parts]
        is_unchanged = len(parts) == len(turn.parts) and all(map(operator.is_, parts, turn.parts))
        return turn if is_unchanged else replace(turn, parts=tuple(parts))

    def _is_harmless(self, part: Reasoning) -> bool:
        """An empty `reasoning_content` on a turn without calls goes back as the client sent it."""
        return self._target.dialect is Dialect.CHAT and part == Reasoning("")

    def _found_again(self) -> list[Part]:
        if self._target.checks_signatures:
            return []
        stored = self._recalled()
        if stored is not None:
            return [self._for_target(stored.text, self._own_signature(stored))]
        if not self._target.needs_reasoning:
            return []
        self._adjusted.append("reasoning")
        return [self._for_target(" ", "")]

    def _thought(self, part: Reasoning) -> Reasoning | None:
        if part.redacted:
            return part if self._is_for_maker(part.redacted) else None
        if part.envelope:
            return self._from_envelope(part)
        if self._target.dialect is not Dialect.MESSAGES:
            is_bare = part.signature is None and part.text
            return part if is_bare else self._for_target(part.text, "") if part.text else None
        if not part.signature:
            again = self._signed_again(part.text)
            return part if again == part else again
        if is_ours(part.signature):
            return self._signed_again(part.text)
        family = self._hooks.family_of(part.signature) if self._hooks.family_of is not None else None
        if family is None or family == self._target.family:
            return part
        return None if self._target.checks_signatures else Reasoning(part.text, "")

    def _is_for_maker(self, redacted: str) -> bool:
        if self._target.dialect is not Dialect.MESSAGES:
            return False
        family = self._hooks.family_of(redacted) if self._hooks.family_of is not None else None
        return self._target.checks_signatures if family is None else family == self._target.family

    def _from_envelope(self, part: Reasoning) -> Reasoning | None:
        opened = self._hooks.seal.open(part.envelope) if self._hooks.seal is not None else None
        if opened is not None:
            signature = opened.signature if opened.family == self._target.family else ""
            return self._signed_again(opened.text, signature or "")
        if self._target.dialect is Dialect.RESPONSES:
            return replace(part, envelope="") if is_ours(part.envelope) else part
        return self._signed_again(part.text) if part.text else None

    def _signed_again(self, text: str, signature: str = "") -> Reasoning | None:
        if self._target.checks_signatures and not signature:
            return None
        if not signature and self._target.dialect is Dialect.MESSAGES:
            stored = self._recalled()
            signature = self._own_signature(stored) if stored is not None and stored.text == text else ""
        return self._for_target(text, signature)

    def _own_signature(self, stored: Reasoning) -> str:
        return (stored.signature or "") if stored.origin == self._target.family else ""

    def _for_target(self, text: str, signature: str) -> Reasoning:
        return Reasoning(text, signature if self._target.dialect is Dialect.MESSAGES else None)

    def _recalled(self) -> Reasoning | None:
        if not self._was_asked and self._hooks.recall is not None and self._keys is not None:
            self._stored = self._hooks.recall(self._keys)
        self._was_asked = True
        return self._stored
