"""What the cap becomes by refusals, successes and statements."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perilune.gateway.admission.learning import LEARNED_FOR_S, CapLearner, LearnedCap


def test_a_refusal_that_names_its_limit_sets_the_cap() -> None:
    learner = CapLearner(50)
    learner.refused_naming(3, in_flight=8, now_s=0)
    assert (learner.cap(0), learner.learned) == (3, 3)


def test_a_limit_we_do_not_exceed_means_that_somebody_else_uses_the_account() -> None:
    learner = CapLearner(50)
    learner.refused_naming(30, in_flight=12, now_s=0)
    assert learner.learned == 11
    learner = CapLearner(50)
    learner.refused_naming(1, in_flight=1, now_s=0)
    assert learner.learned == 1


def test_what_was_learned_lasts_a_day_and_is_then_grown_out_of() -> None:
    learner = CapLearner(50)
    learner.refused_naming(3, in_flight=8, now_s=0)
    assert learner.cap(LEARNED_FOR_S - 1) == 3
    assert (learner.cap(LEARNED_FOR_S), learner.learned) == (3, None)
    grown = [learner.succeeded(LEARNED_FOR_S + second) for second in range(61)]
    assert grown.count(True) == 2
    assert learner.cap(LEARNED_FOR_S + 61) == 5


def test_a_higher_number_does_not_replace_a_lower_one() -> None:
    learner = CapLearner(50)
    learner.refused_naming(3, in_flight=8, now_s=0)
    learner.refused_naming(20, in_flight=30, now_s=10)
    assert learner.learned == 3


def test_the_user_s_change_clears_what_was_learned() -> None:
    learner = CapLearner(50)
    learner.refused_naming(3, in_flight=8, now_s=0)
    learner.configure(50)
    assert learner.cap(1) == 3
    learner.configure(100)
    assert learner.cap(1) == 100


@pytest.mark.case("gateway AD-18")
def test_refusals_without_a_number_shrink_and_silence_grows() -> None:
    learner = CapLearner(50)
    learner.refused(20, now_s=100)
    assert learner.cap(100) == 14
    learner.refused(14, now_s=101)
    assert learner.cap(101) == 14  # at most once per 2 s
    caps = []
    for second in range(102, 200):
        learner.succeeded(second)
        caps.append(learner.cap(second))
    assert sorted(set(caps), key=caps.index) == [14, 15, 16, 17]
    assert caps.index(15) == 130 - 102


def test_growth_needs_as_many_successes_as_the_cap() -> None:
    learner = CapLearner(50)
    learner.refused(20, now_s=0)
    assert not any(learner.succeeded(1000) for _ in range(13))
    assert learner.succeeded(1000)


def test_a_refusal_never_raises_what_was_found() -> None:
    learner = CapLearner(50)
    learner.refused(10, now_s=0)
    learner.refused(40, now_s=10)
    assert learner.cap(10) == 7


def test_growth_ends_at_what_is_set() -> None:
    learner = CapLearner(3)
    learner.refused(3, now_s=0)
    assert learner.cap(0) == 2
    for second in range(31, 40):
        learner.succeeded(second)
    assert (learner.cap(40), learner.found) == (3, None)


def test_without_a_set_cap_growth_has_no_end_and_nothing_known_is_unlimited() -> None:
    learner = CapLearner()
    assert learner.cap(0) is None
    learner.refused(10, now_s=0)
    for second in range(31, 31 + 40 * 31):
        learner.succeeded(second)
    assert (learner.cap(2000) or 0) > 20


def test_the_smallest_of_all_counts() -> None:
    learner = CapLearner(30)
    learner.state(20)
    assert learner.cap(0) == 20
    learner.state(None)
    assert learner.cap(0) == 30


def test_a_higher_statement_is_grown_into() -> None:
    learner = CapLearner(100)
    learner.state(50)
    learner.state(80)
    assert learner.cap(0) == 50
    for second in range(200):
        learner.succeeded(second)
    assert 50 < (learner.cap(200) or 0) <= 53


def test_a_lower_statement_counts_at_once() -> None:
    learner = CapLearner(100)
    learner.state(50)
    learner.state(10)
    assert learner.cap(0) == 10


def test_what_was_kept_over_a_restart_is_believed() -> None:
    before = CapLearner(50)
    before.refused_naming(3, in_flight=8, now_s=0)
    kept = before.remembered()
    assert kept is not None
    after = CapLearner(50)
    after.recall(kept)
    after.recall(LearnedCap(9, 1e9))
    assert after.cap(1) == 3


def test_two_groups_that_are_one_keep_the_smaller_of_each() -> None:
    one, other = CapLearner(50), CapLearner(30)
    other.refused_naming(7, in_flight=9, now_s=0)
    one.absorb(other)
    assert one.cap(0) == 7
    one.configure(60)
    assert one.cap(0) == 60


@given(
    st.lists(st.tuples(st.sampled_from(["named", "plain", "ok"]), st.integers(1, 100), st.floats(0, 40)), max_size=80),
    st.integers(1, 100),
)
def test_the_cap_stays_between_one_and_what_is_set(events: list[tuple[str, int, float]], configured: int) -> None:
    learner, now_s = CapLearner(configured), 0.0
    for kind, number, pause_s in events:
        now_s += pause_s
        if kind == "named":
            learner.refused_naming(number, in_flight=number // 2 + 1, now_s=now_s)
        elif kind == "plain":
            learner.refused(number, now_s=now_s)
        else:
            learner.succeeded(now_s)
        assert 1 <= (learner.cap(now_s) or 0) <= configured
