"""Answers of a forced review: those of other runs are not looked at, its own are kept, so that it too resumes."""

from hashlib import sha256

from perilune.review.ports import AnswerStore, ModelAnswer


class Forced:
    """An answer store in which a run sees only what it has bought itself."""

    def __init__(self, answers: AnswerStore, run: str) -> None:
        self._answers = answers
        self._run = run

    async def get(self, key: str) -> ModelAnswer | None:
        """What this run has bought."""
        return await self._answers.get(self._own(key))

    async def put(self, key: str, answer: ModelAnswer) -> None:
        """Keep it for this run."""
        await self._answers.put(self._own(key), answer)

    def _own(self, key: str) -> str:
        return sha256(f"{self._run}\0{key}".encode()).hexdigest()
