"""Known places of a change, and models that speak of them truly or not."""

import json
import random
from collections.abc import Iterator, Sequence

from msgspec import Struct

from perilune.patches.model import File, Hunk, Line, LineKind, Side
from perilune.patches.scene import normalise
from perilune.review.ports import AnswerOutcome, ModelAnswer, ModelRequest, Usage
from perilune.review.prompt.secrets import Redactor

KINDS = ("true", "shifted", "wrong path", "paraphrased", "duplicated", "garbage")
_LONGEST = 4
_LEAST_LETTERS = 12


class Golden(Struct, frozen=True, kw_only=True):
    """A comment whose place is known. `is_alone`: nothing like its quote stands elsewhere in the change."""

    name: str
    path: str
    side: Side
    start: int
    end: int
    quote: str
    is_alone: bool


def goldens(files: Sequence[File], count: int, seed: str) -> list[Golden]:
    """Comments on changed lines of these files, drawn by a seed; lines that hold something secret are left out."""
    draw = random.Random(seed)
    places = [place for file in files for hunk in file.hunks for place in _runs(file, hunk, draw)]
    draw.shuffle(places)
    lines = [normalise(line.text) for file in files for hunk in file.hunks for line in hunk.lines]
    chosen: list[Golden] = []
    for file, side, run in places:
        if len(chosen) == count:
            break
        quote = "\n".join(line.text for line in run)
        if sum(map(str.isalnum, quote)) < _LEAST_LETTERS or Redactor().redact(quote.split("\n"))[1]:
            continue
        numbers = [line.number(side) or 0 for line in run]
        is_alone = all(lines.count(normalise(line.text)) == 1 for line in run)
        golden = Golden(
            name=f"G{len(chosen)}", path=file.name, side=side, start=numbers[0], end=numbers[-1], quote=quote,
            is_alone=is_alone,
        )  # fmt: skip
        if not any(_touch(golden, other) for other in chosen):
            chosen.append(golden)
    return chosen


def _touch(one: Golden, other: Golden) -> bool:
    return (one.path, one.side) == (other.path, other.side) and one.start <= other.end and other.start <= one.end


def _runs(file: File, hunk: Hunk, draw: random.Random) -> Iterator[tuple[File, Side, list[Line]]]:
    """One run of lines of either side of a hunk, with a changed line in it."""
    for side, changed in ((Side.NEW, LineKind.ADDED), (Side.OLD, LineKind.REMOVED)):
        lines = hunk.side(side)
        at = [index for index, line in enumerate(lines) if line.kind is changed and line.text.strip()]
        if at:
            start = draw.choice(at)
            run = lines[start : start + draw.randint(1, _LONGEST)]
            while run and not run[-1].text.strip():
                run.pop()
            yield file, side, run


class Model:
    """A model that says the goldens of the files it is shown, in its own manner."""

    def __init__(self, kind: str, known: Sequence[Golden], seed: str) -> None:
        self._kind = kind
        self._known = known
        self._draw = random.Random(seed)
        self.said: set[str] = set()

    async def answer(self, request: ModelRequest) -> AnswerOutcome:
        """The answer to one question."""
        text = self._verdicts(request) if request.pass_name == "verify" else self._findings(request)
        usage = Usage(input_tokens=request.size // 3, cached_tokens=0, output_tokens=len(text) // 4)
        return ModelAnswer(text=text, usage=usage, model="scripted", account="scripted")

    def _findings(self, request: ModelRequest) -> str:
        shown = [golden for golden in self._known if golden.name not in self.said and self._is_shown(golden, request)]
        self.said |= {golden.name for golden in shown}
        if self._kind == "garbage" and self._draw.random() < 0.5:
            return self._draw.choice(["LGTM!", "{", "null", '{"findings": {"a": 1}}', "\x00\xff", '[[[{"path":'])
        entries = [entry for golden in shown for entry in self._said(golden)]
        return json.dumps({"findings": entries, "files_reviewed": []}, ensure_ascii=False)

    def _is_shown(self, golden: Golden, request: ModelRequest) -> bool:
        return golden.path in request.user and golden.quote.split("\n")[0] in request.user

    def _said(self, golden: Golden) -> Iterator[dict[str, object]]:
        draw = self._draw
        entry = _entry(golden)
        match self._kind:
            case "shifted":
                shift = draw.choice([-9, -4, -1, 1, 3, 8])
                entry |= {"start_line": golden.start + shift, "end_line": golden.end + shift}
            case "wrong path":
                others = sorted({other.path for other in self._known} - {golden.path}) or ["not/there.py"]
                entry |= {"path": draw.choice([*others, "not/there.py"]), "start_line": draw.randint(1, 400)}
            case "paraphrased":
                entry["quote"] = "\n".join(_paraphrased(line, draw) for line in golden.quote.split("\n"))
            case "garbage":
                entry |= draw.choice([{"start_line": -5}, {"side": "left"}, {"severity": "P7"}, {"quote": ""}])
            case "duplicated":
                yield entry | {"title": f"{golden.name} again: the same", "confidence": 40}
            case _:
                pass
        yield entry

    def _verdicts(self, request: ModelRequest) -> str:
        rows = []
        for block in request.user.split("\nid: ")[1:]:
            quote = next((line[2:] for line in block.split("\n") if line.startswith("> ") and line[2:].strip()), "")
            row = {"id": block.split("\n")[0], "verdict": "confirmed", "reason": "as shown", "severity": ""}
            rows.append(row | {"evidence_quote": quote})
        return json.dumps({"verdicts": rows}, ensure_ascii=False)


def _entry(golden: Golden) -> dict[str, object]:
    return {
        "path": golden.path, "side": golden.side.value, "quote": golden.quote, "start_line": golden.start,
        "end_line": golden.end, "category": "bug", "severity": "high", "confidence": 90,
        "title": f"{golden.name} fails here", "body": "It fails. Return early.", "trigger": f"input {golden.name}",
        "evidence": [], "suggestion": {"replace_quote": "", "replacement": ""}, "rule": "",
    }  # fmt: skip


def _paraphrased(line: str, draw: random.Random) -> str:
    """A line as somebody remembers it."""
    words = line.split()
    if not words:
        return line
    words[draw.randrange(len(words))] = draw.choice(["something", "value", "// ...", "self.result"])
    return " ".join(words)
