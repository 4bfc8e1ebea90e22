"""A scripted model, an answer store in memory, and reviews run with them."""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from tests.patches.shapes import Repo

from perilune.review.acquire.inputs import InputKind, ReviewInput
from perilune.review.ports import (
    AnswerOutcome,
    Attempt,
    ModelAnswer,
    ModelRequest,
    NoQuota,
    NoReservations,
    SlotView,
    Usage,
    WindowState,
)
from perilune.review.result import ReviewResult
from perilune.review.run import Reviewer, ReviewOptions, ReviewServices

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
CLEAN = '{"findings": [], "files_reviewed": []}'
Reply = str | AnswerOutcome | Callable[[ModelRequest], "str | AnswerOutcome"]


def finding(path: str, quote: str, **more: Any) -> dict[str, Any]:
    """A finding as a model writes it."""
    return {
        "path": path,
        "side": "new",
        "quote": quote,
        "start_line": 0,
        "end_line": 0,
        "category": "bug",
        "severity": "high",
        "confidence": 90,
        "title": f"{quote.strip().splitlines()[0][:40]} is wrong" if quote.strip() else "Something is wrong",
        "body": "It fails for an empty list. Return early.",
        "trigger": "an empty list",
        "evidence": [],
        "suggestion": {"replace_quote": "", "replacement": ""},
        "rule": "",
    } | more


def findings(*entries: Mapping[str, Any], files: Sequence[str] = ()) -> str:
    return json.dumps({"findings": list(entries), "files_reviewed": list(files)}, ensure_ascii=False)


def verdicts(request: ModelRequest, verdict: str = "confirmed") -> str:
    """A verdict on every claim of a request, each quoting the claim's own code."""
    rows = []
    for block in request.user.split("\nid: ")[1:]:
        quote = next((line[2:] for line in block.split("\n") if line.startswith("> ") and line[2:].strip()), "")
        rows.append(
            {
                "id": block.split("\n")[0],
                "verdict": verdict,
                "reason": "as shown",
                "evidence_quote": quote,
                "severity": "",
            }
        )
    return json.dumps({"verdicts": rows}, ensure_ascii=False)


class ScriptedAnswerer:
    """Answers by pass; remembers every request."""

    def __init__(self, generate: Reply = CLEAN, verify: Reply = verdicts, reask: Reply = CLEAN) -> None:
        self._replies: dict[str, Reply] = {"generate": generate, "verify": verify, "reask": reask}
        self.requests: list[ModelRequest] = []

    async def answer(self, request: ModelRequest) -> AnswerOutcome:
        self.requests.append(request)
        reply = self._replies[request.pass_name]
        outcome = reply(request) if callable(reply) else reply
        return answered(outcome, request) if isinstance(outcome, str) else outcome

    def asked(self, name: str) -> list[ModelRequest]:
        return [request for request in self.requests if request.pass_name == name]


def answered(text: str, request: ModelRequest, finish: str = "stop") -> ModelAnswer:
    return ModelAnswer(
        text=text,
        finish_reason=finish,
        usage=Usage(input_tokens=int(request.size / 3.1), cached_tokens=0, output_tokens=len(text) // 4),
        model="model-a",
        account="work",
        plan="plan-a",
        attempts=(Attempt(account="work", model="model-a", outcome="ok", took_s=1.0),),
    )


class MemoryAnswers:
    """An answer store that ends with the test."""

    def __init__(self) -> None:
        self.kept: dict[str, ModelAnswer] = {}

    async def get(self, key: str) -> ModelAnswer | None:
        return self.kept.get(key)

    async def put(self, key: str, answer: ModelAnswer) -> None:
        self.kept[key] = answer


class Quota:
    """Slots as a test states them."""

    def __init__(self, *slots: SlotView) -> None:
        self._slots = slots

    def slots(self, run: str = "") -> Sequence[SlotView]:
        return self._slots

    async def refresh(self) -> None:
        return None


def slot(*windows: WindowState, **more: Any) -> SlotView:
    given: dict[str, Any] = {"account": "work", "model": "model-a", "plan": "plan-a", "objective": "request"}
    return SlotView(**(given | {"windows": windows} | more))


def requests_window(remaining: int, limit: int = 200, **more: Any) -> WindowState:
    used = 1 - Decimal(remaining) / limit
    given: dict[str, Any] = {
        "id": "5h",
        "unit": "requests",
        "span_s": 18_000,
        "resets_at": datetime(2026, 11, 20, 14, 7, tzinfo=UTC),
    }
    return WindowState(
        **(given | {"remaining": Decimal(remaining), "limit": Decimal(limit), "used_ratio": used} | more)
    )


async def review(
    source: Repo | ReviewInput,
    answerer: ScriptedAnswerer | None = None,
    *,
    quota: Any = None,
    answers: MemoryAnswers | None = None,
    reservations: Any = None,
    user: Mapping[str, Any] | None = None,
    **options: Any,
) -> ReviewResult:
    """A review of an input, of a repository's working tree where one is given."""
    if isinstance(source, Repo):
        source = ReviewInput(kind=InputKind.WORKTREE, directory=str(source.root))
    services = ReviewServices(
        answerer=answerer or ScriptedAnswerer(),
        quota=quota or NoQuota(),
        answers=answers or MemoryAnswers(),
        reservations=reservations or NoReservations(),
        user=user or {},
        clock=lambda: NOW,
    )
    return await Reviewer(services).review(source, ReviewOptions(**options))
