"""Text of a model or of the diff as Markdown that does nothing: no mention, link, image, command, HTML, open fence."""

import re

from perilune.review.prompt.escapes import visible

_FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,})(.*)$")
_SPAN = re.compile(r"(?<!`)(`+)(?!`)([^\n]*?[^\n`])\1(?!`)")
_LINK = re.compile(r"!?\[([^\]]*)\]\(([^)]*)\)")
_DEFINITION = re.compile(r"\[([^\]\n]*)\]:")
_CLOSING = r"(?i:\b(?:clos(?:e|es|ed)|fix(?:es|ed)?|resolv(?:e|es|ed)|implement(?:s|ed)?):?\s+)"
_LIVE = re.compile(
    r"(?P<address>(?:(?:https?|ftp)://|www\.)[^\s<>`]+)"
    r"|(?P<mention>(?<!\w)@[A-Za-z0-9][\w/@.-]*)"
    rf"|(?P<closing>{_CLOSING})(?P<issue>(?:[\w.-]+/[\w.-]+)?[#!]\d[\w/@.-]*|(?i:GH-)\d[\w/@.-]*)"
)
_COMMAND = re.compile(r"^(\s*)/(\w)", re.MULTILINE)


def harmless(text: str) -> str:
    """Text that shows what it says and does nothing of it."""
    shown = "\n".join(_shown(line) for line in text.split("\n"))
    rows: list[str] = []
    loose: list[str] = []
    fence: str | None = None
    for line in shown.split("\n"):
        match = _FENCE.match(line)
        if fence is None and match is None:
            loose.append(line)
        elif fence is None and match is not None:
            rows += _plain(loose)
            loose, fence = [], match[1]
            rows.append(fence + re.sub(r"[^\w+-]", "", match[2]))
        else:
            ends = match is not None and fence is not None and match[1].startswith(fence) and not match[2].strip()
            rows.append(fence if ends and fence is not None else line)
            fence = None if ends else fence
    rows += _plain(loose)
    return "\n".join([*rows, fence] if fence is not None else rows)


def harmless_line(text: str) -> str:
    """The same for words inside a line, where no fence can begin."""
    return _plain([" ".join(_shown(line) for line in text.split("\n"))])[0]


def _shown(line: str) -> str:
    return visible(line).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _plain(lines: list[str]) -> list[str]:
    """Lines outside any fence: code spans stay, all else is made plain."""
    if not lines:
        return []
    return _COMMAND.sub(r"\1\\/\2", "\n".join(_row(line) for line in lines)).split("\n")


def _row(line: str) -> str:
    parts, at = [], 0
    for span in _SPAN.finditer(line):
        parts += [_dead(line[at : span.start()]), span[0]]
        at = span.end()
    row = ""
    for part in filter(None, (*parts, _dead(line[at:]))):
        row += " " + part if row.endswith("`") and part.startswith("`") else part  # two spans never become one
    return row


def _dead(text: str) -> str:
    """Text without a code span, with nothing in it that a forge would act on."""
    text = text.replace("`", "&#96;")
    text = _LINK.sub(lambda match: f"{match[1]} ({match[2]})", text)
    text = _DEFINITION.sub(r"\\[\1]:", text)
    return _LIVE.sub(_spanned, text)


def _spanned(match: re.Match[str]) -> str:
    if match["closing"] is not None:
        return f"{match['closing']}`{match['issue']}`"
    return f"`{match[0]}`"
