"""Steps of a run that outlive the process: kept before the next begins, given back when the run is taken up again."""

from typing import Protocol, TypeVar

T = TypeVar("T")


class Steps(Protocol):
    """Where a run keeps what a step gave."""

    def check(self) -> None:
        """Raises where the run is not to go on: cancelled, superseded, or another worker has it."""

    async def recall(self, name: str, given: object, kind: type[T]) -> T | None:
        """What the step gave before for the same input."""
        ...

    async def keep(self, name: str, given: object, output: object) -> None:
        """Keep what it gives now. Raises where the run is another worker's."""


class Unkept:
    """The steps of a run that is not resumed."""

    def check(self) -> None:
        """Nobody stops it."""

    async def recall(self, name: str, given: object, kind: type[T]) -> T | None:
        """Nothing was kept."""
        return None

    async def keep(self, name: str, given: object, output: object) -> None:
        """Nothing is kept."""
