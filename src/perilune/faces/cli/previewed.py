"""How a previewed body is shown: what stays, what leaves otherwise and why."""

from collections.abc import Iterator

from perilune.core.messages import Voice
from perilune.gateway.preview import Preview


def preview_lines(preview: Preview, voice: Voice) -> Iterator[str]:
    """One slot: a diff by key, each line with its cause, and the whole body last."""
    yield voice.say("preview.head", slot=preview.slot, surface=preview.surface)
    if preview.same:
        yield "  " + voice.say("preview.same", keys=", ".join(preview.same))
    for change in preview.changes:
        cause = voice.say(f"preview.cause.{change.cause}")
        if change.before is not None:
            yield f"- {change.key}: {change.before}   ({cause})"
        if change.after is not None:
            yield f"+ {change.key}: {change.after}   ({cause})"
    if preview.adjusted:
        yield "  " + voice.say("preview.adjusted", adjusted=", ".join(preview.adjusted))
    yield preview.body.decode()
