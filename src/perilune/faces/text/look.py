"""How a text is to look: width, glyphs, what percent means, what is known beside the document."""

from collections.abc import Callable, Mapping

from msgspec import Struct

from perilune.catalog.plan import Plan
from perilune.core.messages import Voice
from perilune.core.width import width
from perilune.faces.text.figures import Shown
from perilune.quota.document import AccountDocument


class Look(Struct, frozen=True, kw_only=True):
    """The reader's screen.

    Shape: `plans` by id for labels and sites; `keys` are masked keys by account, for the source line; `paint` colours a
    text by a state word.
    """

    columns: int = 80
    is_ascii: bool = False
    shown: Shown = "used"
    is_verbose: bool = False
    plans: Mapping[str, Plan] = {}
    keys: Mapping[str, str] = {}
    paint: Callable[[str, str], str] = lambda text, style: text

    def glyphs(self, text: str) -> str:
        """A figure with its mark as this screen shows it."""
        return text.replace("≠", "!=").replace("–", "-") if self.is_ascii else text


class GatewayGlance(Struct, frozen=True, kw_only=True):
    """The gateway in one line."""

    address: str
    route: str
    slots: tuple[str, ...]
    failovers_today: int


def plan_label(account: AccountDocument, look: Look) -> str:
    """`Kimi Code`; the id where the plan is not known."""
    plan = look.plans.get(account.plan)
    return plan.label if plan else account.plan


def place(account: AccountDocument, look: Look, voice: Voice) -> str:
    """`Allegretto · kimi.com (cn)`; plans of quota say when their title is not reported."""
    plan = look.plans.get(account.plan)
    region = plan.region(account.region) if plan else None
    named = region_name(account.region, voice)
    where = voice.say("status.place", site=region.site, region=named) if region else account.region
    title = account.plan_title
    if title is None and plan is not None and plan.unit == "quota" and account.fetched_at is not None:
        title = voice.say("status.no_plan")
    return f"{title} · {where}" if title else where


def region_name(region: str, voice: Voice) -> str:
    """The region in the reader's words."""
    try:
        return voice.say(f"status.region.{region}")
    except KeyError:
        return region


def right(text: str, columns: int) -> str:
    """The text moved to the right end of so many cells."""
    return " " * max(columns - width(text), 0) + text
