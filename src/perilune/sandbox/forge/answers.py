"""Answers of a played forge: documents, pages, refusals."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import parse_qs, urlencode

import msgspec
from msgspec import Struct, field

from perilune.sandbox.forge.state import Forge, Pull, Repository, User
from perilune.sandbox.http.reply import Reply
from perilune.sandbox.http.request import Request


class ForgeRefusal(Exception):  # noqa: N818 -- the forge's answer, not a fault of ours
    """The forge says no, in its own envelope."""

    def __init__(self, status: int, document: Any, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(status)
        self.status = status
        self.document = document
        self.headers = dict(headers or {})


class Asked(Struct, kw_only=True):
    """One call as a route sees it. `path` is what follows the API's prefix, `match` its named parts."""

    forge: Forge
    request: Request
    method: str
    path: str
    user: User | None
    origin: str
    match: dict[str, str] = field(default_factory=dict)

    def query(self, name: str, default: str = "") -> str:
        return parse_qs(self.request.query).get(name, [default])[-1]

    def document(self) -> dict[str, Any]:
        """The body as a JSON object."""
        try:
            found = msgspec.json.decode(self.request.body) if self.request.body else {}
        except msgspec.DecodeError:
            raise ForgeRefusal(400, {"message": "Problems parsing JSON"}) from None
        return found if isinstance(found, dict) else {}


Route = tuple[str, str, Callable[[Asked], Reply]]


def writes_only(role: str) -> bool:
    return role in ("admin", "write")


def paged(asked: Asked, rows: Sequence[Any]) -> Reply:
    """A page of rows with `Link`, ETag and GitLab's headers; 304 where nothing changed."""
    most = asked.forge.behaviour.page_cap
    size = min(max(_number(asked.query("per_page") or asked.query("limit"), 30), 1), most)
    page = max(_number(asked.query("page"), 1), 1)
    shown = list(rows[(page - 1) * size : page * size])
    last = max((len(rows) + size - 1) // size, 1)
    headers = [("X-Total-Count", str(len(rows))), ("X-Page", str(page))]
    links = []
    if page < last:
        links.append(f'<{_page_url(asked, page + 1)}>; rel="next"')
        links.append(f'<{_page_url(asked, last)}>; rel="last"')
        headers.append(("X-Next-Page", str(page + 1)))
    if page > 1:
        links.append(f'<{_page_url(asked, 1)}>; rel="first"')
    if links:
        headers.append(("Link", ", ".join(links)))
    return tagged(asked, Reply.json(shown, 200, headers))


def tagged(asked: Asked, reply: Reply) -> Reply:
    """The reply with its ETag, or 304 where the caller has it."""
    tag = f'W/"{hashlib.sha256(reply.body).hexdigest()[:32]}"'
    if asked.request.header("if-none-match") == tag:
        return Reply(status=304, headers=[("ETag", tag)])
    reply.put_header("ETag", tag)
    return reply


def _page_url(asked: Asked, page: int) -> str:
    query = {name: values[-1] for name, values in parse_qs(asked.request.query).items()}
    return f"{asked.origin}{asked.request.path}?{urlencode({**query, 'page': page})}"


def _number(text: str, default: int) -> int:
    return int(text) if text.isdigit() else default


def pull_of(asked: Asked, repository: Repository, missing: Any) -> Pull:
    """The pull request that the path names. Raises: ForgeRefusal 404."""
    pull = repository.pulls.get(int(asked.match["number"]))
    if pull is None:
        raise ForgeRefusal(404, missing)
    return pull
