"""A tool is a value: its name, what it takes, and how it answers in one sentence and a document."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol

from msgspec import Struct

from perilune.core.errors import UsageError
from perilune.core.messages import Language, Voice
from perilune.faces.api.ports import RoutesDocument
from perilune.quota.document import AccountDocument, StatusDocument
from perilune.quota.samples import History

_FRESH_S = 90
Arguments = Mapping[str, Any]
Progress = Callable[[float, float, str], Awaitable[None]]


class Monitoring(Protocol):
    """What the tools need of the monitor."""

    def status(
        self, names: Sequence[str], voice: Voice, *, is_verbose: bool = False, shows_first_failure: bool = False
    ) -> StatusDocument: ...
    def histories(self) -> Mapping[str, History]: ...
    def needs_reading(self, names: Sequence[str], *, is_asked: bool = False) -> bool: ...
    def read(self, names: Sequence[str], *, is_asked: bool = False) -> None: ...
    def close(self) -> None: ...


class Services(Protocol):
    """What the tools need of the workbench."""

    def now(self) -> datetime: ...
    def monitoring_now(self) -> Monitoring: ...
    def routes_now(self, language: Language = "en") -> tuple[RoutesDocument, bool]: ...


class Answer(Struct, frozen=True):
    """A sentence, and the document behind it."""

    text: str
    document: object


class Asked(Struct, frozen=True):
    """One call of a tool: its arguments, the reader's voice, whom to tell of progress."""

    arguments: Arguments
    voice: Voice
    services: Services
    progress: Progress

    def names(self) -> tuple[str, ...]:
        """The one account that is asked for; none means all."""
        account = self.arguments.get("account")
        return (account,) if account else ()

    def reading(self, names: Sequence[str]) -> StatusDocument:
        """The status from the store, read anew where it is older than a minute."""
        monitoring = self.services.monitoring_now()
        try:
            if monitoring.needs_reading(names):
                monitoring.read(names)
            return monitoring.status(names, self.voice, shows_first_failure=True)
        finally:
            monitoring.close()


class Tool(Struct, frozen=True, kw_only=True):
    """One tool. `takes` are JSON Schemas of its arguments by name; `needs` those that must be there."""

    name: str
    takes: Mapping[str, Mapping[str, Any]]
    needs: tuple[str, ...] = ()
    answer: Callable[[Asked], Awaitable[Answer]]

    def schema(self) -> dict[str, Any]:
        """The JSON Schema of its arguments."""
        return {
            "type": "object",
            "properties": dict(self.takes),
            "required": list(self.needs),
            "additionalProperties": False,
        }

    def check(self, arguments: Arguments) -> None:
        """Raises: PL-USAGE for an argument that is unknown, missing, or of another kind."""
        for name, value in arguments.items():
            if name not in self.takes:
                raise UsageError.of("PL-USAGE", variant="option_far", command=self.name, name=name)
            if not _fits(value, self.takes[name]):
                message = f"{name} = {value!r}"
                raise UsageError.of("PL-USAGE", variant="other", command=self.name, message=message[:160])
        for name in self.needs:
            if name not in arguments:
                raise UsageError.of("PL-USAGE", variant="missing", command=self.name, name=name)


def _fits(value: object, schema: Mapping[str, Any]) -> bool:
    if schema["type"] == "string":
        return isinstance(value, str) and bool(value.strip())
    is_number = isinstance(value, int) and not isinstance(value, bool)
    return is_number and schema.get("minimum", 0) <= value <= schema.get("maximum", 10**12)


ACCOUNT = {"type": "string", "description": "name of one account; all of them when absent"}


def age_of(account: AccountDocument, voice: Voice) -> str:
    """How old the reading is, where it is not of just now."""
    if account.age_s is None or account.age_s < _FRESH_S:
        return ""
    return " " + voice.say("mcp.age", ago=voice.age_ago(timedelta(seconds=account.age_s)))
