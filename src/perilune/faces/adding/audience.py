"""Who is spoken to while a key is tried: somebody who may be asked, or nobody."""

from collections.abc import Sequence
from typing import Protocol

from perilune.core.messages import Voice


class Audience(Protocol):
    """Hears what is done with a key, and answers what the key alone does not tell."""

    @property
    def voice(self) -> Voice:
        """In whose words everything is said."""
        ...

    def note(self, text: str) -> None:
        """Hear a line beside the answer."""
        ...

    def allows(self, question: str) -> bool:
        """Say yes or no; no when there is nobody to ask."""
        ...

    def picks(self, lines: Sequence[str]) -> int | None:
        """Say which of the lines is meant, from 0; None when there is nobody to ask."""
        ...


class Nobody:
    """An audience that hears nothing and agrees to nothing."""

    def __init__(self, voice: Voice) -> None:
        self.voice = voice

    def note(self, text: str) -> None:
        """Is not heard."""

    def allows(self, question: str) -> bool:
        """Nobody agrees."""
        return False

    def picks(self, lines: Sequence[str]) -> int | None:
        """Nobody picks."""
        return None
