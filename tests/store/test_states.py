"""States, permits, lessons and events, on every database."""

from datetime import UTC, datetime, timedelta

from perilune.store import events, learned, states
from perilune.store.engine import Store, open_store
from perilune.store.events import Event
from perilune.store.lessons import Learned
from perilune.store.states import StateRow

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


def _state(scope: str, reason: str = "quota_spent") -> StateRow:
    until = NOW + timedelta(hours=1)
    return StateRow(scope=scope, state="open", reason=reason, code="PL-QUOTA-5H", since=NOW, until=until, document="{}")


def test_a_state_survives_a_restart(target: str) -> None:
    store = open_store(target)
    with store.begin() as connection:
        states.save(connection, _state("group/a"), NOW)
        states.save(connection, _state("group/b"), NOW)
        states.save(connection, _state("group/a", "balance_empty"), NOW)
        states.remove(connection, "group/b")
    store.close()
    again = open_store(target)
    with again.read() as connection:
        assert states.all_states(connection) == [_state("group/a", "balance_empty")]
    again.close()


def test_a_permit_is_given_to_one_process_and_expires(store: Store) -> None:
    def take(owner: str, at: datetime) -> bool:
        with store.begin() as connection:
            return states.take_permit(connection, "group/a", owner, at, at + timedelta(seconds=30))

    assert [take("one", NOW), take("other", NOW), take("one", NOW)] == [True, False, True]
    assert not take("other", NOW + timedelta(seconds=29))
    assert take("other", NOW + timedelta(seconds=30))
    assert not take("one", NOW + timedelta(seconds=31))


def test_a_permit_that_is_returned_is_free_but_not_one_taken_over(store: Store) -> None:
    later = NOW + timedelta(seconds=60)
    with store.begin() as connection:
        assert states.take_permit(connection, "s", "one", NOW, NOW + timedelta(seconds=30))
        states.return_permit(connection, "s", "one")
        assert states.take_permit(connection, "s", "other", NOW, later)
        states.return_permit(connection, "s", "one")
        assert not states.take_permit(connection, "s", "one", NOW, later)


def test_lessons_are_known_until_their_end(store: Store) -> None:
    cap = Learned(scope="g", name="concurrency", value="3", at=NOW, until=NOW + timedelta(hours=24))
    lasting = Learned(scope="g", name="identity", value="x", at=NOW)
    with store.begin() as connection:
        for lesson in (cap, lasting):
            learned.keep(connection, lesson)
        assert learned.known(connection, NOW) == [cap, lasting]
        assert learned.known(connection, NOW + timedelta(hours=24)) == [lasting]
        learned.forget_expired(connection, NOW + timedelta(hours=24))
        assert learned.known(connection, NOW) == [lasting]


def test_a_lesson_is_replaced_and_forgotten(store: Store) -> None:
    with store.begin() as connection:
        for value in ("3", "5"):
            learned.keep(connection, Learned(scope="g", name="concurrency", value=value, at=NOW))
        learned.keep(connection, Learned(scope="g", name="rpm", value="9", at=NOW))
        assert [lesson.value for lesson in learned.known(connection, NOW)] == ["5", "9"]
        learned.forget(connection, "g", "rpm")
        assert [lesson.value for lesson in learned.known(connection, NOW)] == ["5"]
        learned.forget(connection, "g")
        assert learned.known(connection, NOW) == []


def test_events_come_newest_first_and_can_be_followed(store: Store) -> None:
    with store.begin() as connection:
        for number in range(5):
            events.append(connection, Event(at=NOW + timedelta(minutes=number), kind=f"k{number}", account="a"))
    with store.read() as connection:
        newest = events.recent(connection, 2)
        assert [event.kind for event in newest] == ["k4", "k3"]
        assert [event.kind for event in events.recent(connection, 9, after=newest[1].number)] == ["k4"]
        assert newest[0].at == NOW + timedelta(minutes=4)
    with store.begin() as connection:
        events.forget_before(connection, NOW + timedelta(minutes=3))
        assert [event.kind for event in events.recent(connection, 9)] == ["k4", "k3"]
