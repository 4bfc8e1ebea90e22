"""What came of a pasted key, for the page it was pasted into."""

from collections.abc import Sequence

from msgspec import Struct

from perilune.core.messages.voice import Words
from perilune.faces.api.ports import AddedKey
from perilune.faces.text.figures import figures, money
from perilune.faces.web.reader import Reader
from perilune.quota.document import AccountDocument
from perilune.quota.wording import window_word


class ResultView(Struct, frozen=True, kw_only=True):
    """One line that tells what the key is, or the problem; and what was cleaned off the paste."""

    line: str | None
    problem: Words | None
    notes: Sequence[str]


def result_view(added: AddedKey, reader: Reader) -> ResultView:
    """The result in the reader's words."""
    problem = None if added.problem is None else reader.voice.explain(added.problem)
    line = None if added.account is None else _line(added.account, reader)
    return ResultView(line=line, problem=problem, notes=added.removed)


def _line(account: AccountDocument, reader: Reader) -> str:
    parts = [reader.plan_line(account)]
    for window in account.windows:
        left = reader.say("status.left", figure=figures(window, "used")[1])
        parts.append(f"{window_word(window.id, window.label, reader.voice)} {left}")
    if account.balance is not None:
        parts.append(money(account.balance.available, reader.voice))
    return f"{' · '.join(parts)} — {account.name}"
