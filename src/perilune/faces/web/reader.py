"""The reader of a page: language, zone, used or left."""

from datetime import datetime, tzinfo
from typing import Literal
from urllib.parse import urlsplit

from msgspec import Struct
from msgspec.structs import replace
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from perilune.core.messages import Voice
from perilune.faces.api.app import language_of
from perilune.providers.contract.registry import plan as plan_of
from perilune.quota.document import AccountDocument

_CHOICES = {"lang": ("perilune_lang", ("en", "zh-CN")), "percent": ("perilune_percent", ("used", "left"))}
_A_YEAR_S = 365 * 86_400


class Reader(Struct, frozen=True):
    """Who reads: a voice, and whether bars show what is used or what is left."""

    voice: Voice
    percent: Literal["used", "left"]
    path: str

    def say(self, message_id: str, **values: object) -> str:
        return self.voice.say(message_id, **values)

    def at(self, now: datetime) -> "Reader":
        """The same reader at another moment: times of an account are counted from its server's clock."""
        return replace(self, voice=replace(self.voice, now=now))

    def for_currencies(self, currencies: set[str]) -> "Reader":
        """The same reader; where two currencies stand on one page, amounts carry codes in place of symbols."""
        voice = replace(self.voice, with_currency_codes=len(currencies) > 1)
        return replace(self, voice=voice)

    def plan_line(self, account: AccountDocument) -> str:
        """`Kimi Code · Allegretto · kimi.com (cn)`."""
        plan = plan_of(account.plan)
        region = plan.region(account.region) if plan else None
        place = f"{region.site} ({region.id})" if region else account.region
        return " · ".join(part for part in (plan.label if plan else account.plan, account.plan_title, place) if part)


def reader_of(request: Request, now: datetime) -> Reader:
    """The reader that a request's cookies and headers tell of. The zone is this machine's."""
    percent: Literal["used", "left"] = "left" if request.cookies.get("perilune_percent") == "left" else "used"
    return Reader(Voice(language=language_of(request), zone=_local_zone(now), now=now), percent, request.url.path)


def remember_choice(request: Request) -> Response | None:
    """Keep a choice that stands in the query (`?lang=zh-CN`, `?percent=left`) and lead back to the page without it."""
    chosen = {name: request.query_params[name] for name in _CHOICES if name in request.query_params}
    if not chosen:
        return None
    response = RedirectResponse(urlsplit(str(request.url)).path, 303)
    for name, value in chosen.items():
        cookie, allowed = _CHOICES[name]
        if value in allowed:
            response.set_cookie(cookie, value, max_age=_A_YEAR_S, samesite="lax", path="/")
    return response


def _local_zone(now: datetime) -> tzinfo:
    zone = now.astimezone().tzinfo
    if zone is None:
        raise ValueError("an aware instant has a zone")
    return zone
