"""What refusals taught about caps and rates: kept over a restart, and known to every process over one store."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from perilune.compose.accounts import CAP
from perilune.compose.background import Background
from perilune.gateway.admission import Admission
from perilune.gateway.rates import Rate, Rates
from perilune.store import learned
from perilune.store.engine import Store
from perilune.store.lessons import Learned

RPM, TPM = "rpm", "tpm"
_NUMBERS = (CAP, RPM, TPM)
_BELIEVED = timedelta(hours=24)


class Lessons:
    """Writes lessons behind, and takes those of others in. Belongs to the loop that `admission` belongs to."""

    def __init__(self, store: Store, background: Background) -> None:
        self._store = store
        self._background = background
        self._taken: frozenset[tuple[str, str, str]] = frozenset()

    def keep(self, group: str, name: str, value: int, at: datetime, for_s: float | None = None) -> None:
        """A refusal named a number: it outlives this process."""
        span = _BELIEVED if for_s is None else timedelta(seconds=for_s)
        lesson = Learned(scope=group, name=name, value=str(value), at=at, until=at + span)

        def write() -> None:
            with self._store.begin() as connection:
                learned.keep(connection, lesson)

        self._background.submit(write)

    def read(self, now: datetime) -> list[Learned]:
        """What holds now. Called in a thread. Raises: StoreError."""
        with self._store.read() as connection:
            return learned.known(connection, now)

    def take_in(self, lessons: Sequence[Learned], admission: Admission, rates: Rates, now: datetime) -> None:
        """Believe what is new, whoever learned it."""
        for lesson in lessons:
            seen = (lesson.scope, lesson.name, lesson.value)
            is_number = lesson.name in _NUMBERS and lesson.value.isdigit()
            if seen in self._taken or not is_number or lesson.until is None:
                continue
            left_s = (lesson.until - now).total_seconds()
            if lesson.name == CAP:
                admission.recall(lesson.scope, int(lesson.value), left_s)
            else:
                rates.recall(lesson.scope, Rate(**{lesson.name: int(lesson.value)}), left_s)
        self._taken = frozenset((one.scope, one.name, one.value) for one in lessons)
