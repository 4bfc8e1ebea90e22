"""The service under faults and kills, in short; `bench/faults.py` and `bench/kills.py` do the same at length."""

import pytest
from bench._ground.client_storm import stormed
from bench._ground.killing import killed
from bench._ground.storm import upstream_round


def test_every_client_gets_an_answer_or_an_error_while_the_vendors_fail_in_every_way() -> None:
    outcome = upstream_round("any", 300, 20)
    assert outcome.faults == []
    assert outcome.asked == 300
    assert outcome.kinds["answer"] > 50


def test_the_service_stands_clients_that_misbehave_and_serves_others_beside_them() -> None:
    report = stormed(80, 21, judges_figures=False)
    assert report.faults == []


@pytest.mark.parametrize(("signal_name", "times"), [("SIGKILL", 3), ("SIGTERM", 1)])
def test_an_end_at_any_moment_loses_no_row_and_holds_no_lease(signal_name: str, times: int) -> None:
    found = killed(signal_name, times, 22, waits=True)
    assert found.faults == []
    assert found.answered > 0
