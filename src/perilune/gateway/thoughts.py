"""The store of thoughts: reasoning that clients drop and vendors want back, found again by the turn it belongs to.

In memory, least recently used first out. Never logged, never in a bundle. Source: gateway reference 1.4.
"""

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Mapping

from perilune.dialects.form import Answer, Dialect, Reasoning, ToolCall
from perilune.dialects.head import Body
from perilune.dialects.target import Context, TurnKeys
from perilune.dialects.translate import parse_request
from perilune.dialects.way_back import answer_keys

LARGEST_BYTES = 64 * 1024 * 1024
_OVERHEAD = 200
_SESSION_HEADERS = ("x-session-id", "session-id", "thread-id", "x-claude-code-session-id", "x-session-affinity")


class ThoughtStore:
    """Thoughts by their place in a conversation, else by session where exactly one fits; nothing wider."""

    is_shared = False

    def __init__(self, largest: int = LARGEST_BYTES) -> None:
        self._largest = largest
        self._size = 0
        self._kept: OrderedDict[TurnKeys, tuple[Reasoning, str | None]] = OrderedDict()
        self._by_session: dict[tuple[str, bytes], set[TurnKeys]] = {}
        self._makers: OrderedDict[bytes, str] = OrderedDict()
        self.recalls = {"found": 0, "missed": 0}  # since the start: turns that came back without their thought

    def keep(self, keys: TurnKeys, thought: Reasoning, session: str | None) -> None:
        """Remember the thought of one turn."""
        self._drop(keys)
        self._kept[keys] = (thought, session)
        self._size += _size(thought)
        if session is not None:
            self._by_session.setdefault((session, keys.turn), set()).add(keys)
        if thought.signature:
            self._makers[_digest(thought.signature)] = thought.origin
            while len(self._makers) > 50_000:
                self._makers.popitem(last=False)
        while self._size > self._largest:
            self._drop(next(iter(self._kept)))

    def recall(self, session: str | None) -> Callable[[TurnKeys], Reasoning | None]:
        """The look-up for one conversation."""

        def found(keys: TurnKeys) -> Reasoning | None:
            thought = self._found(keys, session)
            self.recalls["missed" if thought is None else "found"] += 1
            return thought

        return found

    def _found(self, keys: TurnKeys, session: str | None) -> Reasoning | None:
        entry = self._kept.get(keys)
        if entry is not None:
            self._kept.move_to_end(keys)
            return entry[0]
        near = self._by_session.get((session, keys.turn)) if session is not None else None
        return self._kept[next(iter(near))][0] if near is not None and len(near) == 1 else None

    def family_of(self, signature: str) -> str | None:
        """Who made a signature, None when it did not pass through here."""
        return self._makers.get(_digest(signature))

    def knows(self, keys: TurnKeys) -> bool:
        """Whether the thought of this very place is here."""
        return keys in self._kept

    async def written(self) -> None:
        """Until what was kept outlives this process as far as it shall: here it never does."""

    async def fetch(self, front: Dialect, body: Body, session: str | None) -> None:
        """Bring in what is known elsewhere: here nothing is."""

    def _drop(self, keys: TurnKeys) -> None:
        entry = self._kept.pop(keys, None)
        if entry is None:
            return
        thought, session = entry
        self._size -= _size(thought)
        if session is not None:
            near = self._by_session.get((session, keys.turn))
            if near is not None:
                near.discard(keys)
                if not near:
                    del self._by_session[session, keys.turn]


def keep_thought(
    store: ThoughtStore, context: Context, body: bytes, answer: Answer, family: str, session: str | None
) -> None:
    """Keep the thought of an upstream's answer that calls tools, under the turns the client asked with."""
    thoughts = [part for part in answer.parts if isinstance(part, Reasoning) and part.text]
    if not thoughts or not any(isinstance(part, ToolCall) for part in answer.parts):
        return
    keys = answer_keys(context, parse_request(context.client, body).turns, answer)
    text = "".join(part.text for part in thoughts)
    store.keep(keys, Reasoning(text, thoughts[-1].signature, origin=family), session)


def session_of(headers: Mapping[str, str], prompt_cache_key: object) -> str | None:
    """A digest of the client's own id of the conversation, None when it has none."""
    own = prompt_cache_key if isinstance(prompt_cache_key, str) and prompt_cache_key else None
    found = own or next((headers[name] for name in _SESSION_HEADERS if headers.get(name)), None)
    return None if found is None else hashlib.blake2b(found.encode(errors="replace"), digest_size=16).hexdigest()


def _size(thought: Reasoning) -> int:
    return len(thought.text) * 2 + len(thought.signature or "") + _OVERHEAD


def _digest(text: str) -> bytes:
    return hashlib.blake2b(text.encode(errors="surrogatepass"), digest_size=16).digest()
