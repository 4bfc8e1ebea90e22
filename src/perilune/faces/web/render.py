"""Templates: autoescaped, strict about missing names, loaded once."""

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from perilune.faces.web.assets import asset_address
from perilune.faces.web.reader import Reader
from perilune.providers.contract.registry import providers

if TYPE_CHECKING:
    from jinja2 import Environment


@cache
def _environment() -> "Environment":
    from jinja2 import Environment, PackageLoader, StrictUndefined

    loader = PackageLoader("perilune.faces.web", "templates")
    environment = Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.globals["asset"] = asset_address
    return environment


def render(template: str, reader: Reader, context: Mapping[str, Any]) -> str:
    """A page or fragment in the reader's language."""
    other = "en" if reader.voice.language == "zh-CN" else "zh-CN"
    turned = "left" if reader.percent == "used" else "used"
    given = {
        "say": reader.say,
        "lang": reader.voice.language,
        "percent": reader.percent,
        "switch_lang": f"?lang={other}",
        "switch_percent": f"?percent={turned}",
    }
    return _environment().get_template(template).render(given | dict(context))


class KeyPlace(Struct, frozen=True):
    """Where a plan's keys are made."""

    plan: str
    pages: tuple[str, ...]


def key_places() -> list[KeyPlace]:
    """The pages on which keys are made, by plan."""
    plans = (provider.plan for provider in providers().values() if provider.plan.is_detectable)
    return [KeyPlace(plan.label, tuple(region.keys_page for region in plan.regions)) for plan in plans]
