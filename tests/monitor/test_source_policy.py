"""Which source comes next after each way a source can end."""

import pytest

from perilune.core.codes import CODES
from perilune.core.errors import Problem
from perilune.monitor.sources import told
from perilune.quota.sources import after, gives_way_to_candidate, sources_of


@pytest.mark.parametrize(
    ("codes", "step"),
    [
        (("PL-CRED-NONE", "PL-SECRET-READ", "PL-LOGIN-NONE", "PL-COOKIE-NONE"), "next"),
        (("PL-401-KEY", "PL-401-HOST", "PL-LOGIN-EXPIRED", "PL-COOKIE-EXPIRED", "PL-COOKIE-SHAPE"), "next"),
        (("PL-402-MEMBER", "PL-403-READ"), "next"),
        (("PL-PARSE", "PL-PARSE-SIZE"), "next"),
        (("PL-429-READ", "PL-5XX-READ", "PL-NET-DNS", "PL-NET-REFUSED", "PL-NET-TIMEOUT"), "other-host"),
        (("PL-CONFIG-BASEURL", "PL-404-PATH", "PL-VENDOR"), "stop"),
    ],
)
def test_how_a_source_ends_says_what_is_asked_next(codes: tuple[str, ...], step: str) -> None:
    assert {after(code) for code in codes} == {step}
    assert set(codes) <= set(CODES)


def test_a_named_source_is_the_only_one() -> None:
    assert sources_of("auto") == ("api-key", "cli-login", "web-session")
    assert sources_of("cli-login") == ("cli-login",)


def test_only_a_refusal_gives_way_to_another_session() -> None:
    assert gives_way_to_candidate("PL-COOKIE-EXPIRED")
    assert gives_way_to_candidate("PL-403-READ")
    assert not gives_way_to_candidate("PL-NET-TIMEOUT")
    assert not gives_way_to_candidate("PL-429-READ")


def test_of_several_problems_one_that_is_more_than_an_absence_is_told() -> None:
    absent, expired = Problem(code="PL-CRED-NONE", account="work"), Problem(code="PL-LOGIN-EXPIRED", account="work")
    nowhere = Problem(code="PL-COOKIE-NONE", account="work")
    assert told([absent, expired], "work") is expired
    assert told([nowhere], "work") is nowhere
    assert told([absent, nowhere], "work").code == "PL-CRED-NONE"
