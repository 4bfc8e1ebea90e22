"""What changed between two status documents, one line each, for readers who hear the screen."""

from collections.abc import Iterator

from perilune.core.messages import Voice
from perilune.faces.text.figures import figures, money
from perilune.faces.text.look import Look
from perilune.quota.document import AccountDocument, StatusDocument
from perilune.quota.wording import window_word


def changed_lines(before: StatusDocument, after: StatusDocument, look: Look, voice: Voice) -> list[str]:
    """The lines that are not as they were, with the time in front: `20:00:30 work 5 h 70% used`."""
    known = {line for account in before.accounts for line in _facts(account, look, voice)}
    clock = after.generated_at.astimezone(voice.zone).strftime("%H:%M:%S")
    lines = (line for account in after.accounts for line in _facts(account, look, voice))
    return [f"{clock} {line}" for line in lines if line not in known]


def _facts(account: AccountDocument, look: Look, voice: Voice) -> Iterator[str]:
    for window in account.windows:
        figure = look.glyphs(figures(window, look.shown)[0])
        said = voice.say(f"status.{look.shown}", figure=figure)
        state = "" if window.state == "ok" else "  " + voice.say(f"status.state.{window.state}")
        yield f"{account.name} {window_word(window.id, window.label, voice)} {said}{state}"
    if account.balance is not None:
        yield f"{account.name} {voice.say('status.balance.available', amount=money(account.balance.available, voice))}"
    if account.error is not None:
        yield f"{account.name} {account.error.code}: {account.error.brief or account.error.message}"
