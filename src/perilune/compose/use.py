"""How much an account is in use, as a service sees it: its requests, open screens, a machine that saves power."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from perilune.monitor.interval import Activity

_PROFILE = Path("/sys/firmware/acpi/platform_profile")
_SAVING = "low-power"


class Use:
    """What a service knows of the use of accounts. `served_at` tells when one was last asked, None for not yet."""

    def __init__(
        self,
        served_at: Callable[[str], datetime | None],
        screens: Callable[[], int],
        clock: Callable[[], datetime],
        saving: Callable[[], bool],
    ) -> None:
        self._served_at, self._screens, self._clock, self._saving = served_at, screens, clock, saving
        self._seen_at = clock()

    def seen(self) -> bool:
        """Note that somebody looks, where somebody does."""
        is_open = self._screens() > 0
        if is_open:
            self._seen_at = self._clock()
        return is_open

    def activity(self, account: str) -> Activity:
        """What is known now. A service that has just started counts as looked at."""
        is_open, last = self.seen(), self._served_at(account)
        return Activity(
            last_request_at=last,
            has_open_screen=is_open,
            quiet_since=self._seen_at if last is None else max(last, self._seen_at),
            saves_power=self._saving(),
        )


def saves_power(profile: Path = _PROFILE) -> bool:
    """Whether the machine is set to save power, as far as its firmware's file tells; False where there is none."""
    try:
        return profile.read_text(encoding="ascii").strip() == _SAVING
    except (OSError, ValueError):
        return False
