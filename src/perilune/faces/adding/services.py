"""What adding an account needs of the workbench, and the choices of one run."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

from msgspec import Struct

if TYPE_CHECKING:
    from datetime import datetime

    from perilune.catalog.plan import Plan
    from perilune.config.load import Loaded
    from perilune.config.paths import Paths
    from perilune.core.secret import Secret
    from perilune.net.control import ControlClient
    from perilune.providers.contract.probing import Probed
    from perilune.vault.vault import Vault


class AddServices(Protocol):
    """What adding needs."""

    @property
    def environment(self) -> "Mapping[str, str]": ...
    @property
    def paths(self) -> "Paths": ...
    @property
    def plans(self) -> "Mapping[str, Plan]": ...
    @property
    def vault(self) -> "Vault": ...
    def configuration(self, flags: Mapping[str, Any] | None = None) -> "Loaded": ...
    def control_client(self) -> "ControlClient": ...
    def now(self) -> "datetime": ...
    def keep_reading(self, account: str, secret: "Secret", probed: "Probed") -> None:
        """Keep what a host just said to a key as the account's last reading."""
        ...

    def account_renamed(self, name: str, new: str) -> None:
        """Move what the store holds of an account to another name."""
        ...

    def account_removed(self, name: str, *, with_history: bool) -> None:
        """Drop what the store holds of an account."""
        ...


class Choices(Struct, frozen=True, kw_only=True):
    """What the command line says about the account to be."""

    name: str | None = None
    plan: str | None = None
    region: str | None = None
    base_url: str | None = None
    is_probed: bool = True
