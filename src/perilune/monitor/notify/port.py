"""What a channel is: it takes one message and says what came of it."""

from datetime import datetime
from typing import Protocol

from msgspec import Struct

from perilune.core.encode import encode_document
from perilune.quota.alerts.kinds import Urgency


class Message(Struct, frozen=True, kw_only=True):
    """One message. `id` stays the same on every channel and every try; `click` is where a tap leads."""

    id: str
    at: datetime
    kind: str
    title: str
    text: str
    urgency: Urgency
    account: str | None = None
    window: str | None = None
    facts: dict[str, str] = {}
    click: str | None = None
    is_test: bool = False

    def document(self) -> bytes:
        """`perilune.event.v1`, the JSON that programs get."""
        return encode_document(
            {
                "schema": "perilune.event.v1",
                "id": self.id,
                "at": self.at,
                "event": self.kind,
                "account": self.account,
                "window": self.window,
                "urgency": self.urgency,
                "title": self.title,
                "text": self.text,
                "facts": self.facts,
                "test": self.is_test,
            }
        )


class Receipt(Struct, frozen=True, kw_only=True):
    """What came of one try.

    Shape: `words` is the channel's own answer, without secrets. `is_off`: this place can never show a message, do not
    try again before the next start.
    """

    is_taken: bool
    words: str
    is_off: bool = False


class Channel(Protocol):
    """One way to a person or a program."""

    async def send(self, message: Message) -> Receipt:
        """Try once. Never raises what a network, a program or the other side can do."""
        ...
