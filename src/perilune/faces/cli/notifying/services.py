"""What `perilune notify` needs of the workbench."""

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from perilune.config.load import Loaded
    from perilune.config.paths import Paths
    from perilune.core.messages import Voice
    from perilune.monitor.notify.port import Receipt
    from perilune.store.deliveries import ChannelState
    from perilune.vault.vault import Vault


class NotifyServices(Protocol):
    """What these commands need."""

    @property
    def paths(self) -> "Paths": ...
    @property
    def vault(self) -> "Vault": ...
    def now(self) -> datetime: ...
    def configuration(self, flags: Mapping[str, Any] | None = None) -> "Loaded": ...

    def channel_states(self) -> "Mapping[str, ChannelState]":
        """How the channels have been doing, by name."""
        ...

    def muted_until(self) -> datetime | None:
        """Until when notifications are held back."""
        ...

    def mute(self, until: datetime | None) -> None:
        """Hold notifications back until a moment; None ends it."""
        ...

    def forget_channel(self, name: str) -> None:
        """Drop what the store holds for a channel."""
        ...

    def test_channel(self, name: str, voice: "Voice") -> "Receipt":
        """Send a marked message now."""
        ...
