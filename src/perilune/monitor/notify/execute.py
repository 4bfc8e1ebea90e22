"""exec: a program of the user's, the event as JSON on its standard input. Success is exit 0 within 10 seconds."""

from collections.abc import Mapping

from perilune.core.redact import vendor_words
from perilune.monitor.notify.port import Message, Receipt
from perilune.monitor.notify.running import run, small_environment

_LIMIT_S = 10.0


class Execute:
    """One command line, without a shell."""

    def __init__(self, command: tuple[str, ...], environment: Mapping[str, str], limit_s: float = _LIMIT_S) -> None:
        self._command = command
        self._environment = environment
        self._limit_s = limit_s

    async def send(self, message: Message) -> Receipt:
        """Run the program once."""
        own = {
            "PERILUNE_EVENT": message.kind,
            "PERILUNE_ACCOUNT": message.account or "",
            "PERILUNE_WINDOW": message.window or "",
        }
        ended = await run(self._command, message.document(), small_environment(self._environment, own), self._limit_s)
        if ended.status == 0:
            return Receipt(is_taken=True, words="exit 0")
        said = ended.words if ended.status is None else f"exit {ended.status} {ended.words}"
        return Receipt(is_taken=False, words=vendor_words(said))
