"""The person at the command line, as adding speaks to one."""

from collections.abc import Sequence

from perilune.core.messages import Voice
from perilune.faces.cli.prompt import ask, confirm
from perilune.faces.cli.session import Session


class Person:
    """Whoever runs the command; asked only where a terminal allows it."""

    def __init__(self, session: Session) -> None:
        self._session = session

    @property
    def voice(self) -> Voice:
        return self._session.voice

    def note(self, text: str) -> None:
        """A line on standard error."""
        self._session.note(text)

    def allows(self, question: str) -> bool:
        """A question whose answer is no by default."""
        return self._session.is_interactive and confirm(self._session, question)

    def picks(self, lines: Sequence[str]) -> int | None:
        """Of several lines the one a person says; the first is preselected."""
        if not self._session.is_interactive:
            return None
        for number, line in enumerate(lines, start=1):
            self._session.note(f"  {number}  {line}")
        choices = ", ".join(str(number) for number in range(1, len(lines) + 1))
        answer = ask(self._session, self.voice.say("add.which", choices=choices), "1")
        return int(answer) - 1 if answer.isdecimal() and 0 < int(answer) <= len(lines) else 0
