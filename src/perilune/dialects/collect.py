"""A streamed answer put together again."""

from perilune.dialects.events import (
    CallDelta,
    CallStarted,
    Failed,
    Finished,
    ReasoningDelta,
    ReasoningSigned,
    Started,
    StreamEvent,
    TextDelta,
    UsageSeen,
)
from perilune.dialects.form import Answer, Part, Reasoning, StopReason, Text, ToolCall
from perilune.dialects.usage import Usage


class Collector:
    """Gathers events into an Answer; `finished` is the stop once it came, `failed` the upstream's error object."""

    __slots__ = ("_calls", "_kind", "_parts", "_pieces", "failed", "finished", "started", "usage")

    def __init__(self) -> None:
        self.started: Started | None = None
        self.finished: Finished | None = None
        self.failed: Failed | None = None
        self.usage: Usage | None = None
        self._parts: list[Part | int] = []
        self._calls: dict[int, tuple[CallStarted, list[str]]] = {}
        self._pieces: list[str] = []
        self._kind = ""

    def add(self, event: StreamEvent) -> None:
        """Take in one event."""
        match event:
            case TextDelta():
                self._turn_to("text")
                self._pieces.append(event.text)
            case ReasoningDelta():
                self._turn_to("reasoning")
                self._pieces.append(event.text)
            case CallDelta():
                if event.index in self._calls:
                    self._calls[event.index][1].append(event.text)
            case CallStarted():
                self._turn_to("")
                self._calls[event.index] = (event, [])
                self._parts.append(event.index)
            case ReasoningSigned():
                self._signed(event)
            case UsageSeen():
                self.usage = event.usage
            case Started():
                self.started = event
            case Finished():
                self.finished = event
            case Failed():
                self.failed = event
            case _:
                pass

    @property
    def has_content(self) -> bool:
        """True once a thought, a text or a call has come."""
        return bool(self._parts or self._pieces)

    def answer(self) -> Answer:
        """What has come so far, as one answer."""
        self._turn_to("")
        started = self.started or Started()
        finished = self.finished or Finished(StopReason.END)
        return Answer(
            id=started.id,
            model=started.model,
            created=started.created,
            parts=tuple(self._call(part) if isinstance(part, int) else part for part in self._parts),
            stop=finished.stop,
            stop_text=finished.text,
            stop_sequence=finished.stop_sequence,
            usage=self.usage,
        )

    def _call(self, index: int) -> ToolCall:
        started, texts = self._calls[index]
        return ToolCall(started.id, started.name, "".join(texts), namespace=started.namespace)

    def _turn_to(self, kind: str) -> None:
        if kind == self._kind:
            return
        text = "".join(self._pieces)
        if text:
            self._parts.append(Text(text) if self._kind == "text" else Reasoning(text))
        self._pieces.clear()
        self._kind = kind

    def _signed(self, event: ReasoningSigned) -> None:
        if event.redacted:
            self._turn_to("")
            self._parts.append(Reasoning("", redacted=event.redacted))
        elif self._kind == "reasoning":
            text = "".join(self._pieces)
            self._pieces.clear()
            self._kind = ""
            self._parts.append(Reasoning(text, event.signature or None, envelope=event.envelope))
