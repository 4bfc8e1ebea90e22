"""The demo's review: a small change with a planted fault, reviewed by the real pipeline over the played model."""

from pathlib import Path
from typing import TYPE_CHECKING

from perilune.compose.reviewing import GatewayAnswerer, StoredAnswers, engine_quota, keep_review
from perilune.review.acquire.inputs import InputKind, ReviewInput
from perilune.review.run import Reviewer, ReviewOptions, ReviewServices
from perilune.sandbox import World
from perilune.store.answers import Answers

if TYPE_CHECKING:
    from perilune.compose.stack import Stack

_TITLE = "billing/limits.py"
_PATCH = b"""diff --git a/billing/limits.py b/billing/limits.py
index 3f2a1c0..9be77d1 100644
--- a/billing/limits.py
+++ b/billing/limits.py
@@ -8,9 +8,12 @@ class Limits:
     def __init__(self, cap):
         self.cap = cap
         self.used = 0
+        self.lock = Lock()

     def take(self, amount):
-        if self.used + amount > self.cap:
+        self.lock.acquire()
+        if self.used + amount >= self.cap:
             raise LimitReached(self.cap)
         self.used += amount
+        self.lock.release()
         return self.cap - self.used
"""
_ANSWER = {
    "findings": [
        {
            "path": "billing/limits.py",
            "side": "new",
            "quote": "        self.lock.acquire()",
            "start_line": 14,
            "end_line": 14,
            "category": "concurrency",
            "severity": "high",
            "confidence": 92,
            "title": "the lock stays taken when the limit is reached",
            "body": "LimitReached leaves take() without a release; the next caller waits for ever. Use a with block.",
            "trigger": "take() with an amount above what is left",
            "evidence": [],
            "suggestion": {"replace_quote": "", "replacement": ""},
            "rule": "",
        },
        {
            "path": "billing/limits.py",
            "side": "new",
            "quote": "        if self.used + amount >= self.cap:",
            "start_line": 15,
            "end_line": 15,
            "category": "bug",
            "severity": "medium",
            "confidence": 85,
            "title": "the last unit of the cap can no longer be used",
            "body": "Before, an amount that reaches the cap exactly was allowed; >= refuses it.",
            "trigger": "used + amount equal to cap",
            "evidence": [],
            "suggestion": {"replace_quote": "", "replacement": ""},
            "rule": "",
        },
    ],
    "files_reviewed": ["billing/limits.py"],
}


async def play_review(stack: "Stack", world: World) -> None:
    """Review the change once and keep the result."""
    world.say(lines=[{"when": "billing/limits.py", "json": _ANSWER}])
    engine = stack.engine
    services = ReviewServices(
        answerer=GatewayAnswerer(engine),
        quota=engine_quota(engine),
        answers=StoredAnswers(Answers(engine.store), engine),
        local_secret=engine.bench.vault.fingerprint_key,
        clock=engine.bench.now,
    )
    source = ReviewInput(kind=InputKind.DIFF, directory=str(Path.cwd().anchor), patch=_PATCH)
    result = await Reviewer(services).review(source, ReviewOptions(flags={"effort": "low"}))
    await keep_review(engine, result, _TITLE)
