"""One key of one table of a TOML file, line by line: comments, order and spacing of the rest stay."""

import re
import tomllib

from msgspec import Struct

from perilune.faces.install.edits import Unfit, newline_of

_HEADER = re.compile(r"\s*\[")


class TomlKey(Struct, frozen=True, kw_only=True):
    """`key = value` in `[table]`; `value` is TOML text on one line."""

    table: str
    key: str
    value: str

    @property
    def line(self) -> str:
        return f"{self.key} = {self.value}"

    def put(self, text: str) -> tuple[str, str | None]:
        _check(text)
        lines = text.splitlines(keepends=True)
        end = newline_of(text)
        header, place = self._find(lines)
        before = None
        if header is None:
            if lines and not lines[-1].endswith("\n"):
                lines[-1] += end
            gap = [end] if lines and lines[-1].strip() else []
            lines += [*gap, f"[{self.table}]{end}", self.line + end]
        elif place is None:
            lines.insert(header + 1, self.line + end)
        elif lines[place].strip() != self.line:
            before = lines[place].rstrip("\r\n")
            lines[place] = self.line + end
        told = "".join(lines)
        _check(told)
        return told, before

    def take(self, text: str, before: str | None) -> str | None:
        lines = text.splitlines(keepends=True)
        header, place = self._find(lines)
        if header is None or place is None or lines[place].strip() != self.line:
            return None
        if before is not None:
            lines[place] = before + newline_of(text)
            return "".join(lines)
        del lines[place]
        rest = lines[header + 1 : self._end(lines, header)]
        if not any(line.strip() for line in rest):
            start = header - 1 if header and not lines[header - 1].strip() else header
            del lines[start : header + 1]
        return "".join(lines)

    def _find(self, lines: list[str]) -> tuple[int | None, int | None]:
        """Where the table begins and where the key stands in it."""
        named = re.compile(rf"\s*\[\s*{re.escape(self.table)}\s*\]\s*(?:#.*)?$")
        header = next((number for number, line in enumerate(lines) if named.match(line.rstrip("\r\n"))), None)
        if header is None:
            return None, None
        wanted = re.compile(rf"\s*{re.escape(self.key)}\s*=")
        inside = range(header + 1, self._end(lines, header))
        return header, next((number for number in inside if wanted.match(lines[number])), None)

    def _end(self, lines: list[str], header: int) -> int:
        after = range(header + 1, len(lines))
        return next((number for number in after if _HEADER.match(lines[number])), len(lines))


def _check(text: str) -> None:
    try:
        tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise Unfit(str(error)) from None
