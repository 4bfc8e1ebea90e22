"""The desktop's own notifications: `notify-send`, `osascript`, a Windows toast. Success is exit 0.

Without a screen it says so once and is off until the next start.
"""

import shutil
import sys
from collections.abc import Mapping, Sequence

from perilune.core.redact import vendor_words
from perilune.monitor.notify.port import Message, Receipt
from perilune.monitor.notify.running import SCREENS, SESSION, Ended, run, small_environment

_LIMIT_S = 10.0
_URGENCIES: Mapping[str, str] = {"low": "low", "normal": "normal", "high": "normal", "critical": "critical"}
_APPLE_SCRIPT = (
    "on run argv",
    "display notification (item 2 of argv) with title (item 1 of argv)",
    "end run",
)
_TOAST = (
    "$t=[Windows.UI.Notifications.ToastNotificationManager,Windows.UI.Notifications,ContentType=WindowsRuntime];"
    "$x=$t::GetTemplateContent([Windows.UI.Notifications.ToastTemplateType]::ToastText02);"
    "$n=$x.GetElementsByTagName('text');"
    "$n.Item(0).AppendChild($x.CreateTextNode($env:TOAST_TITLE))>$null;"
    "$n.Item(1).AppendChild($x.CreateTextNode($env:TOAST_TEXT))>$null;"
    "$t::CreateToastNotifier('Perilune').Show([Windows.UI.Notifications.ToastNotification]::new($x))"
)


class Desktop:
    """This computer's screen. A newer message on the same subject takes the older one's place."""

    def __init__(self, environment: Mapping[str, str], platform: str = sys.platform) -> None:
        self._environment = environment
        self._platform = platform
        self._shown: dict[tuple[str | None, str | None], str] = {}

    async def send(self, message: Message) -> Receipt:
        """Show one message."""
        argv = self._argv(message)
        if argv is None:
            return Receipt(is_taken=False, words="headless", is_off=True)
        own = {"TOAST_TITLE": message.title, "TOAST_TEXT": message.text}
        ended = await run(argv, b"", small_environment(self._environment, own, SESSION), _LIMIT_S)
        if ended.status == 0:
            self._remember(message, ended)
            return Receipt(is_taken=True, words="exit 0")
        said = ended.words if ended.status is None else f"exit {ended.status} {ended.words}"
        return Receipt(is_taken=False, words=vendor_words(said))

    def _argv(self, message: Message) -> Sequence[str] | None:
        path = self._environment.get("PATH")
        if self._platform == "darwin":
            lines = [part for line in _APPLE_SCRIPT for part in ("-e", line)]
            return ["osascript", *lines, message.title, message.text]
        if self._platform == "win32":
            return ["powershell", "-NoProfile", "-NonInteractive", "-Command", _TOAST]
        program = shutil.which("notify-send", path=path)
        if program is None or not any(self._environment.get(name) for name in SCREENS):
            return None
        replaced = self._shown.get((message.account, message.window))
        replacing = [f"--replace-id={replaced}"] if replaced else []
        urgency = f"--urgency={_URGENCIES[message.urgency]}"
        return [program, "--app-name=Perilune", urgency, "--print-id", *replacing, "--", message.title, message.text]

    def _remember(self, message: Message, ended: Ended) -> None:
        number = ended.words.splitlines()[-1] if ended.words else ""
        if number.isdigit():
            self._shown[message.account, message.window] = number
