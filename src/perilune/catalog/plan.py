"""Plans and their regions: what can be bought, where it lives, what it speaks. From each provider's `provider.toml`."""

from typing import Literal

from msgspec import Struct

Surface = Literal["chat", "responses", "messages"]


class Region(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where one plan lives in one region.

    Shape: addresses without trailing slash; `hosts` are all official hosts a credential of this plan and region may be
    sent to. `site` is how people call it (`kimi.com`).
    """

    id: str
    label: str
    site: str
    hosts: tuple[str, ...]
    currency: str
    bases: dict[Surface, str]
    read_base: str
    console: str
    keys_page: str
    oauth: str | None = None
    web: str | None = None
    vendor_name: str | None = None


class Environment(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Environment variables that a plan's users already set: key names in order, region, base address, web sessions."""

    keys: tuple[str, ...] = ()
    region: str | None = None
    base_url: str | None = None
    default_region: str | None = None
    found_not_used: tuple[str, ...] = ()
    web_sessions: tuple[str, ...] = ()


class ExpectedWindow(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A window that this plan can have, so that its absence can be named."""

    id: str
    label: str


class Plan(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one can buy, as its provider folder describes it.

    Shape: `surfaces` in order of preference for requests (`same` means the dialect in front, where listed in
    `surfaces`); `unit` is what use costs: plan quota or money. `key_prefixes` give detection its order. `vendor` is how
    sentences call whoever answers. `known_hosts` are hosts of others that speak this plan's dialect, for addresses that
    come without a plan. `is_opt_in` plans are taken only when they are named; keys that begin with one of
    `refused_prefixes` are plainly another plan's and are not sent.
    Units: `poll_interval_s` seconds.
    """

    id: str
    label: str
    vendor: str = ""
    regions: tuple[Region, ...] = ()
    surfaces: tuple[Surface, ...] = ("chat",)
    default_surface: Literal["same", "chat", "responses", "messages"] = "same"
    unit: Literal["quota", "money"] = "money"
    key_prefixes: tuple[str, ...] = ()
    default_cap: int | None = None
    default_model: str | None = None
    default_thinking: str | None = None
    poll_interval_s: int = 300
    environment: Environment = Environment()
    windows: tuple[ExpectedWindow, ...] = ()
    personal_use: bool = False
    is_detectable: bool = True
    is_read_only: bool = False
    is_opt_in: bool = False
    refused_prefixes: tuple[str, ...] = ()
    needs_base_url: bool = False
    known_hosts: tuple[str, ...] = ()
    known_as: dict[str, str] = {}

    def region(self, region_id: str) -> Region | None:
        """The region of that id, None where the plan has none."""
        return next((region for region in self.regions if region.id == region_id), None)
