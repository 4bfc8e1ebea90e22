"""Answers to commands: the list of them, where things stand, what is configured, and why a finding was said."""

from collections.abc import Sequence

import msgspec

from perilune.core.errors import PeriluneError
from perilune.core.messages import Voice
from perilune.patches.finding import State
from perilune.review.commands import Verb
from perilune.review.jobs.underway import Underway
from perilune.review.outputs.harmless import harmless, harmless_line
from perilune.review.outputs.markdown import code
from perilune.review.ports import ModelAnswer, ModelRequest, SlotView
from perilune.review.prompt.explain import explain_prompt
from perilune.review.pulls.ports import Access
from perilune.review.settings import ReviewSettings
from perilune.store.findings import FindingRow, PullRow

_OPEN = (State.NEW, State.POSTED, State.CARRIED)
_MOST_OPEN = 20
_LEFT_OUT = ("own_logins", "route")
_LONGEST = 4_000


def help_text(voice: Voice) -> str:
    """Every command and what it does."""
    verbs = [verb.value for verb in Verb if verb is not Verb.UNKNOWN]
    rows = [f"- {code(verb)} {voice.say(f'pull.help.{verb}')}" for verb in verbs]
    return "\n".join([voice.say("pull.help"), "", *rows])


def status_text(rows: Sequence[FindingRow], standing: PullRow | None, slots: Sequence[SlotView], voice: Voice) -> str:
    """What is open, what was reviewed last, and what is left on the route. No account is named."""
    said = [voice.say("pull.paused")] if standing is not None and standing.is_paused else []
    if standing is not None and standing.reviewed_head is not None:
        said.append(voice.say("pull.last", head=standing.reviewed_head[:12], at=standing.updated_at))
    for number, slot in enumerate(slots, 1):
        for window in slot.windows:
            if window.used_ratio is not None:
                used = f"{float(window.used_ratio) * 100:.0f}%"
                said.append(voice.say("pull.quota", slot=number, window=window.id, used=used))
    still = [row for row in rows if row.state in _OPEN]
    said.append(voice.say("pull.open", count=len(still)))
    said += [f"- {code(row.path)} {harmless_line(row.title)}" for row in still[:_MOST_OPEN]]
    return "\n".join(said)


def config_text(settings: ReviewSettings, voice: Voice) -> str:
    """The settings in force for this installation, without anything that names accounts or people."""
    table = {name: value for name, value in msgspec.to_builtins(settings).items() if name not in _LEFT_OUT}
    rows = [f"{name} = {msgspec.json.encode(value).decode()}" for name, value in sorted(table.items())]
    return "\n".join([voice.say("pull.config"), "```toml", *rows, "```"])


async def explained(access: Access, row: FindingRow, comment: str, underway: Underway) -> str:
    """One answer about one finding: evidence, trigger, rule. It is bought once, whatever process ends."""
    services = access.services()
    if services.answerer is None:
        raise PeriluneError.of("PL-ACCOUNT-NONE")
    prompt = explain_prompt(row, comment, access.voice().language)
    kept = await services.answers.get(prompt.key)
    if kept is None:
        request = ModelRequest(
            system=prompt.system, user=prompt.user, max_output_tokens=4_096, thinking=None, run=underway.claim.id,
            unit=comment, pass_name="explain", route=access.settings().route,
        )  # fmt: skip
        outcome = await services.answerer.answer(request)
        if not isinstance(outcome, ModelAnswer):
            raise PeriluneError(outcome.problem)
        kept = outcome
        await services.answers.put(prompt.key, kept)
    return harmless(kept.text.strip()[:_LONGEST])
