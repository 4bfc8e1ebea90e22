"""`perilune explain`: the long form of any error code, offline."""

from collections import defaultdict
from collections.abc import Iterator

import click
from msgspec import Struct

from perilune.core.codes import CODES
from perilune.core.errors import UsageError
from perilune.core.messages import Language, message
from perilune.core.nearest import nearest
from perilune.core.width import pad, wrap
from perilune.faces.cli.help import Page
from perilune.faces.cli.session import Session

_TEXT_COLUMN = 9
_EXIT_COLUMN = 66
_MOST_RELATIVES = 4
_PARTS = ("title", "what", "seen", "does", "can", "see")


class Explained(Struct, frozen=True, kw_only=True):
    """The long form of one code. None is what has no words."""

    schema: str = "perilune.explain.v1"
    code: str
    exit: int
    title: str
    what: str | None
    seen_as: str | None
    does: str | None
    you_can: list[str]
    see_also: list[str]


class ExplainedList(Struct, frozen=True, kw_only=True):
    """All codes."""

    schema: str = "perilune.explain.v1"
    codes: list[Explained]


@click.command("explain", cls=Page)
@click.argument("code", required=False)
@click.option("--json", "as_json", is_flag=True)
@click.pass_obj
def command(session: Session, code: str | None, *, as_json: bool) -> None:
    if code is None:
        _list_all(session, as_json=as_json)
        return
    explained = explain(find_code(code), session.language)
    if as_json:
        session.document(explained)
    else:
        session.answer("\n".join(_lines(explained, session)))


def find_code(text: str) -> str:
    """The code that a text means: any case, `PL-` may be missing.

    Raises: PL-USAGE with the nearest code.
    """
    name = text.strip().upper().replace("_", "-")
    name = name if name.startswith("PL-") else f"PL-{name}"
    if name in CODES:
        return name
    close = nearest(name, CODES)
    raise UsageError.of("PL-USAGE", variant="code" if close else "code_far", name=text, nearest=close)


def explain(code: str, language: Language) -> Explained:
    """The page of a code. Placeholders of its words stand there as what they are, in capitals."""
    own = {
        part: message(language, f"explain.{code}.{part}") for part in ("title", "what", "seen", "does", "can", "see")
    }
    title = own["title"] or _words(language, f"{code}.title") or _words(language, f"{code}.what") or code
    cans = (
        own["can"].split(" · ") if own["can"] else [_words(language, f"{code}.fix.{number}") for number in range(1, 6)]
    )
    return Explained(
        code=code,
        exit=CODES[code],
        title=title.rstrip(".。"),
        what=own["what"] or _words(language, f"{code}.why"),
        seen_as=own["seen"],
        does=own["does"] or _words(language, f"{code}.note"),
        you_can=[can for can in cans if can],
        see_also=own["see"].split(", ") if own["see"] else _relatives(code),
    )


class _Capitals(defaultdict[str, str]):
    def __missing__(self, name: str) -> str:
        return name.upper()


def _words(language: Language, message_id: str) -> str | None:
    text = message(language, message_id)
    return text.format_map(_Capitals()) if text else None


def _relatives(code: str) -> list[str]:
    """Codes of the same family, `PL-QUOTA-…`."""
    family = code.rsplit("-", 1)[0] + "-"
    return [other for other in CODES if other.startswith(family) and other != code and family != "PL-"][
        :_MOST_RELATIVES
    ]


def _lines(page: Explained, session: Session) -> Iterator[str]:
    say = session.voice.say
    columns = min(session.out.columns, 80)
    ends = say("explain.exit", status=page.exit)
    first, *rest = wrap(f"{page.code}  {page.title}", _EXIT_COLUMN - 2)
    yield f"{pad(first, _EXIT_COLUMN)}{ends}"
    yield from (" " * (len(page.code) + 2) + line for line in rest)
    parts = (
        ("explain.what", page.what),
        ("explain.seen", page.seen_as),
        ("explain.does", page.does),
        ("explain.can", " · ".join(page.you_can)),
        ("explain.see", ", ".join(page.see_also)),
    )
    for label, text in parts:
        if text:
            head, *more = wrap(text, columns - _TEXT_COLUMN)
            yield pad(say(label), _TEXT_COLUMN) + head
            yield from (" " * _TEXT_COLUMN + line for line in more)


def _list_all(session: Session, *, as_json: bool) -> None:
    pages = [explain(code, session.language) for code in CODES]
    if as_json:
        session.document(ExplainedList(codes=pages))
        return
    column = max(map(len, CODES)) + 2
    for page in pages:
        head, *more = wrap(page.title, min(session.out.columns, 80) - column - 4)
        session.answer(f"{pad(page.code, column)}{page.exit:>2}  {head}")
        for line in more:
            session.answer(" " * (column + 4) + line)
