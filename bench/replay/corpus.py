"""The committed corpus: its entries as commits of one bare repository, and a model that says what is known of them."""

import json
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import msgspec
from msgspec import Struct

from perilune.review.ports import AnswerOutcome, ModelAnswer, ModelRequest, Usage

FOLDER = Path(__file__).resolve().parents[2] / "tests" / "corpus" / "replay"
_WHO = "Ada <ada@example.org> 1763632800 +0000"


class Comment(Struct, frozen=True, kw_only=True):
    """A comment of the corpus. `place` is `hunk`, or `outside` where no hunk holds its lines."""

    path: str
    side: str
    start_line: int
    end_line: int
    quote: str
    text: str
    category: str
    place: str = "hunk"
    replacement: str = ""


class Head(Struct, frozen=True, kw_only=True):
    """One push. `files` are contents by name, None where the file is gone."""

    files: dict[str, str | None]
    goldens: tuple[Comment, ...]
    negatives: tuple[Comment, ...]

    @property
    def inline(self) -> list[Comment]:
        """The true comments that can stand on their line."""
        return [golden for golden in self.goldens if golden.place == "hunk"]


class Entry(Struct, frozen=True, kw_only=True):
    """One pull request of the corpus."""

    name: str
    source: str
    licence: str
    language: str
    base: dict[str, str]
    heads: tuple[Head, ...]


def entries() -> list[Entry]:
    """Every entry by name."""
    return [msgspec.json.decode(path.read_bytes(), type=Entry) for path in sorted(FOLDER.glob("*.json"))]


def base_branch(entry: Entry) -> str:
    return f"{entry.name}-base"


def head_branch(entry: Entry, number: int) -> str:
    return f"{entry.name}-{number}"


def write_repository(folder: Path, known: Sequence[Entry]) -> None:
    """All entries as branches of a new bare repository."""
    subprocess.run(["git", "init", "--quiet", "--bare", str(folder)], check=True)
    stream = b"".join(part for entry in known for part in _commits(entry))
    subprocess.run(["git", "fast-import", "--quiet"], cwd=folder, input=stream, check=True)


def _commits(entry: Entry) -> Iterator[bytes]:
    base = f"refs/heads/{base_branch(entry)}"
    yield _commit(base, None, entry.base)
    for number, head in enumerate(entry.heads, 1):
        yield _commit(f"refs/heads/{head_branch(entry, number)}", base, head.files)


def _commit(ref: str, parent: str | None, files: Mapping[str, str | None]) -> bytes:
    rows = [f"commit {ref}\ncommitter {_WHO}\ndata 6\nchange\n".encode()]
    rows += [f"from {parent}\n".encode()] if parent is not None else []
    for path, text in files.items():
        if text is None:
            rows.append(f"D {path}\n".encode())
        else:
            content = text.encode()
            rows.append(f"M 100644 inline {path}\ndata {len(content)}\n".encode() + content + b"\n")
    return b"".join((*rows, b"\n"))


class TrueModel:
    """Says every comment of a head that it is shown the file of, and tells the wrong ones when it verifies."""

    def __init__(self, head: Head) -> None:
        self._comments = (*head.goldens, *head.negatives)
        self._wrong = {comment.text for comment in head.negatives}
        self.said: set[str] = set()

    async def answer(self, request: ModelRequest) -> AnswerOutcome:
        """The answer to one question."""
        text = self._verdicts(request) if request.pass_name == "verify" else self._findings(request)
        usage = Usage(input_tokens=request.size // 3, cached_tokens=0, output_tokens=len(text) // 4)
        return ModelAnswer(text=text, usage=usage, model="scripted", account="scripted")

    def _findings(self, request: ModelRequest) -> str:
        shown = [one for one in self._comments if one.text not in self.said and f"## {one.path} (" in request.user]
        self.said |= {one.text for one in shown}
        return json.dumps({"findings": [_said(one) for one in shown], "files_reviewed": []}, ensure_ascii=False)

    def _verdicts(self, request: ModelRequest) -> str:
        rows = []
        for block in request.user.split("\nid: ")[1:]:
            quote = next((line[2:] for line in block.split("\n") if line.startswith("> ") and line[2:].strip()), "")
            is_wrong = any(text in block for text in self._wrong)
            row = {"id": block.split("\n")[0], "verdict": "refuted" if is_wrong else "confirmed", "severity": ""}
            rows.append(row | {"reason": "as shown", "evidence_quote": quote})
        return json.dumps({"verdicts": rows}, ensure_ascii=False)


def _said(comment: Comment) -> dict[str, object]:
    quote = comment.quote if comment.replacement else ""
    return {
        "path": comment.path, "side": comment.side, "quote": comment.quote, "start_line": comment.start_line,
        "end_line": comment.end_line, "category": comment.category, "severity": "high", "confidence": 90,
        "title": comment.text, "body": f"{comment.text}. Put it right.", "trigger": f"any call: {comment.text}",
        "evidence": [], "suggestion": {"replace_quote": quote, "replacement": comment.replacement},
        "rule": "",
    }  # fmt: skip
