"""Adding a pasted key without anybody to ask: for the page."""

from msgspec import Struct

from perilune.compose.workbench import Workbench
from perilune.core.errors import PeriluneError, Problem
from perilune.core.keys import clean_key
from perilune.core.messages import Voice
from perilune.faces.adding.audience import Nobody
from perilune.faces.adding.saved import save_key
from perilune.faces.adding.services import Choices
from perilune.faces.adding.telling import removed_text
from perilune.providers.contract.paste import clean_paste


class Added(Struct, frozen=True, kw_only=True):
    """The account a key became, or why it became none; and what was taken off the paste."""

    name: str | None = None
    problem: Problem | None = None
    removed: list[str]


def add_key(bench: Workbench, paste: str) -> Added:
    """Clean, try and save a pasted key. A key that is saved already gives the account it has."""
    voice = Voice()
    removed: list[str] = []
    try:
        if not clean_key(paste):
            return Added(problem=Problem(code="PL-401-SHAPE"), removed=removed)
        pasted = clean_paste(paste)
        if pasted.removed:
            removed.append(removed_text(pasted.removed, voice))
        saved = save_key(pasted, Choices(), bench, Nobody(voice))
    except PeriluneError as error:
        return Added(problem=error.problem, removed=removed)
    return Added(name=saved.account.name, removed=removed)
