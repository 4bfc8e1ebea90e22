"""Adding a pasted key without anybody to ask: for the page."""

import io

from msgspec import Struct

from perilune.compose.workbench import Workbench
from perilune.core.errors import PeriluneError, Problem
from perilune.core.keys import clean_key
from perilune.core.messages import Voice
from perilune.faces.cli.adding.detecting import find_home
from perilune.faces.cli.adding.saving import duplicate_of, free_name, save_account
from perilune.faces.cli.adding.services import Choices
from perilune.faces.cli.adding.telling import removed_text
from perilune.faces.cli.session import Session
from perilune.providers.contract.paste import clean_paste


class Added(Struct, frozen=True, kw_only=True):
    """The account a key became, or why it became none; and what was taken off the paste."""

    name: str | None = None
    problem: Problem | None = None
    removed: list[str]


def add_key(bench: Workbench, paste: str) -> Added:
    """Clean, try and save a pasted key. A key that is saved already gives the account it has."""
    removed: list[str] = []
    try:
        if not clean_key(paste):
            return Added(problem=Problem(code="PL-401-SHAPE"), removed=removed)
        pasted = clean_paste(paste)
        if pasted.removed:
            removed.append(removed_text(pasted.removed, Voice()))
        known = duplicate_of(pasted.secret, bench)
        if known is not None:
            return Added(name=known, removed=removed)
        found = find_home(pasted, Choices(), bench, _unattended(bench))
        taken = [account.name for account in bench.configuration().config.accounts]
        account = save_account(
            bench,
            name=free_name(None, found.plan.id, taken),
            plan=found.plan,
            region=found.region.id if found.region else "",
            secret=pasted.secret,
            base_url=found.base_url,
        )
    except PeriluneError as error:
        return Added(problem=error.problem, removed=removed)
    return Added(name=account.name, removed=removed)


def _unattended(bench: Workbench) -> Session:
    session = Session(bench, stdin=io.StringIO(), stdout=io.StringIO(), stderr=io.StringIO())
    session.flags.no_input = True
    return session
