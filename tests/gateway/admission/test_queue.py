"""Who goes next: classes, their share, owners in turn."""

from hypothesis import given
from hypothesis import strategies as st

from perilune.gateway.admission.queue import Priority, WaitingLine

_I, _R, _B = Priority


def _serve(line: WaitingLine[str]) -> str | None:
    for priority in line.classes_in_order():
        return line.next_of(priority)
    return None


def _line(*waiters: tuple[str, Priority, str]) -> WaitingLine[str]:
    line: WaitingLine[str] = WaitingLine()
    for name, priority, owner in waiters:
        line.join(name, priority, owner)
    return line


def test_classes_go_in_order_and_owners_within_one_first_come_first_served() -> None:
    line = _line(("b", _B, "x"), ("r", _R, "x"), ("i1", _I, "x"), ("i2", _I, "x"))
    assert [_serve(line) for _ in range(5)] == ["i1", "i2", "r", "b", None]


def test_owners_of_a_class_take_turns() -> None:
    line = _line(*((f"x{n}", _I, "x") for n in range(100)), ("y", _I, "y"))
    assert [_serve(line) for _ in range(3)] == ["x0", "y", "x1"]


def test_of_ten_grants_a_waiting_lower_class_gets_one() -> None:
    line = _line(*((f"i{n}", _I, "x") for n in range(40)), *((f"b{n}", _B, "x") for n in range(5)))
    served = [str(_serve(line)) for _ in range(30)]
    assert [n for n, name in enumerate(served) if name.startswith("b")] == [9, 19, 29]


def test_both_lower_classes_get_their_share() -> None:
    line = _line(*((f"{p.name}{n}", p, "x") for p in Priority for n in range(60)))
    served = [str(_serve(line)) for _ in range(60)]
    for first in range(0, 60, 12):
        kinds = {name.rstrip("0123456789") for name in served[first : first + 12]}
        assert kinds == {"INTERACTIVE", "REVIEW", "BATCH"}


def test_one_sent_back_stands_before_everyone_of_its_class() -> None:
    line = _line(("x", _I, "x"), ("y1", _I, "y"), ("y2", _I, "y"))
    line.join("again", _I, "y", at_head=True)
    assert [_serve(line) for _ in range(4)] == ["again", "x", "y1", "y2"]


def test_one_who_leaves_is_gone_at_once_and_only_once() -> None:
    line = _line(("a", _I, "x"), ("b", _I, "x"))
    assert line.leave("a", _I, "x")
    assert not line.leave("a", _I, "x")
    assert len(line) == 1
    assert _serve(line) == "b"
    assert not line.leave("b", _I, "x")
    assert not line


def test_the_highest_class_that_waits() -> None:
    line = _line(("b", _B, "x"))
    assert line.highest() is _B
    line.join("r", _R, "x")
    assert line.highest() is _R


def test_how_many_stand_ahead() -> None:
    line = _line(("i", _I, "z"), *((f"x{n}", _R, "x") for n in range(5)), ("y", _R, "y"))
    assert line.ahead_of("x0", _R, "x") == 1
    assert line.ahead_of("y", _R, "y") == 2
    assert line.ahead_of("x4", _R, "x") == 6


_MOVES = st.lists(
    st.one_of(
        st.tuples(st.just("join"), st.integers(0, 30), st.sampled_from(Priority), st.sampled_from("xyz")),
        st.tuples(st.just("leave"), st.integers(0, 30), st.sampled_from(Priority), st.sampled_from("xyz")),
        st.tuples(st.just("serve"), st.just(0), st.just(_I), st.just("x")),
    ),
    max_size=120,
)


@given(_MOVES)
def test_the_line_holds_exactly_those_who_joined_and_neither_left_nor_went(
    moves: list[tuple[str, int, Priority, str]],
) -> None:
    line: WaitingLine[tuple[int, Priority, str]] = WaitingLine()
    inside: set[tuple[int, Priority, str]] = set()
    for kind, *who in moves:
        waiter = (who[0], who[1], who[2])
        if kind == "join" and waiter not in inside:
            line.join(waiter, waiter[1], waiter[2])
            inside.add(waiter)
        elif kind == "leave":
            assert line.leave(waiter, waiter[1], waiter[2]) is (waiter in inside)
            inside.discard(waiter)
        elif kind == "serve" and inside:
            served = line.next_of(line.classes_in_order()[0])
            assert served in inside
            inside.discard(served)
        assert len(line) == len(inside)
