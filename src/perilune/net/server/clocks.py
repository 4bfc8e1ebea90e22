"""The clocks of a client's connection: a slow head, a slow body, a slow reader, nothing at all. Units: seconds."""

HEAD_S = 10.0
IDLE_S = 75.0
STUCK_S = 120.0
_SLOWEST_AFTER_S = 10.0
_SLOWEST_BYTES_PER_S = 1024


class Clocks:
    """Since when the present state lasts. Looked at about once a second."""

    __slots__ = ("_unsent", "since")

    def __init__(self, now: float) -> None:
        self.since = now
        self._unsent = -1

    def is_idle_too_long(self, now: float, *, has_begun: bool) -> bool:
        """No whole head has come in time."""
        return now - self.since > (HEAD_S if has_begun else IDLE_S)

    def is_body_too_slow(self, now: float, size: int) -> bool:
        """Less than a kilobyte a second, after the first ten seconds."""
        return now - self.since > _SLOWEST_AFTER_S + size / _SLOWEST_BYTES_PER_S

    def is_reader_stuck(self, now: float, unsent: int) -> bool:
        """The client takes nothing of what is written to it."""
        if unsent != self._unsent:
            self._unsent, self.since = unsent, now
        return now - self.since > STUCK_S
