"""Plans by requests and tokens: what may be used, what is asked, what happens when it does not fit."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from msgspec import structs
from tests.patches.shapes import BODY, Repo
from tests.review.scripted import Quota, ScriptedAnswerer, answered, finding, findings, requests_window, review, slot

from perilune.core.messages import Voice
from perilune.core.money import Money
from perilune.patches.parse import parse_patch
from perilune.review.exits import exit_code
from perilune.review.outputs.text import opening
from perilune.review.plan.allowance import allowance, request_share
from perilune.review.plan.planner import Plan
from perilune.review.plan.tokens import learned, tokens_of
from perilune.review.plan.units import LIMITS, Ranked, pack
from perilune.review.ports import Prices, WindowState
from perilune.review.result import RunStatus
from perilune.review.risk import risk_of

SHARE = Decimal("0.4")
RUN = """\
import os


def run_{number}(path):
    total = 0
    for name in os.listdir(path):
        total += len(name){less}
    return total
"""
RESET = datetime(2026, 11, 20, 14, 7, tzinfo=UTC)


def window(name: str, used: str, **more) -> WindowState:
    return WindowState(**({"id": name, "unit": "ratio", "used_ratio": Decimal(used), "resets_at": RESET} | more))


def many_files(count: int, lines: int) -> list[Ranked]:
    text = "".join(
        f"--- /dev/null\n+++ b/p{number % 7}/m{number}.py\n@@ -0,0 +1,{lines} @@\n" + f"+value = {number}\n" * lines
        for number in range(count)
    )
    return [Ranked(file, risk_of(file)) for file in parse_patch(text.encode()).files]


@pytest.mark.parametrize(
    ("remaining", "reserved", "floor", "allowed"),
    [(10, 0, {}, 4), (10, 4, {}, 2), (10, 0, {"5h": 5}, 2), (10, 0, {"5h": "2.5%"}, 2), (0, 0, {}, 0), (61, 0, {}, 24)],
)
def test_a_share_of_what_is_left_may_be_used(remaining: int, reserved: int, floor: dict, allowed: int) -> None:
    given = slot(requests_window(remaining, reserved=Decimal(reserved)))
    assert allowance(given, SHARE, floor).requests == allowed


@pytest.mark.case("review R10.1")
async def test_with_ten_of_two_hundred_left_no_more_than_four_are_asked(repo: Repo) -> None:
    repo.write("keep.txt", "x\n")
    repo.commit()
    for number in range(4):
        repo.write(f"p{number}/m.py", "".join(f"v{line} = {line}\n" for line in range(1_400)))
    answerer = ScriptedAnswerer(findings())
    result = await review(repo, answerer, quota=Quota(slot(requests_window(10))))
    assert result.plan is not None
    assert result.plan.requests <= 4
    assert len(answerer.requests) <= 4
    for number in range(4, 40):
        repo.write(f"p{number}/m.py", "".join(f"v{line} = {line}\n" for line in range(1_400)))
    answerer = ScriptedAnswerer(findings())
    deferred = await review(repo, answerer, quota=Quota(slot(requests_window(10))))
    assert (deferred.status, deferred.retry_at, answerer.requests) == (RunStatus.DEFERRED, RESET, [])
    assert exit_code(deferred) == 5
    assert [problem.code for problem in deferred.errors] == ["PL-REVIEW-BUDGET"]


@pytest.mark.case("review R10.2")
async def test_an_empty_account_leaves_it_to_the_fallback(cart: Repo) -> None:
    spent = slot(requests_window(0))
    fallback = slot(
        account="ci",
        objective="token",
        balance=Money(Decimal(5), "USD"),
        prices=Prices(hit=Decimal("0.1"), miss=Decimal(1), output=Decimal(4), currency="USD"),
    )
    result = await review(cart, preview=True, quota=Quota(spent, fallback))
    assert result.plan is not None
    assert result.plan.slot is not None
    assert (result.plan.slot.account, result.plan.degraded) == ("ci", ("fallback",))
    assert result.estimate.cost is not None


@pytest.mark.case("review R10.3")
def test_of_several_windows_the_tightest_binds() -> None:
    found = allowance(slot(requests_window(150), window("7d", "0.995")), SHARE, {})
    assert found.binding is not None
    assert (found.requests, found.binding.id) == (2, "7d")


@pytest.mark.case("review R10.5")
def test_a_windows_share_is_a_prior_until_five_samples_and_then_learned_over_the_last_fifty() -> None:
    four = tuple([Decimal("0.01")] * 4)
    assert request_share(window("5h", "0.5", samples=four)) == Decimal(1) / 300
    assert request_share(window("5h", "0.5", samples=(*four, Decimal("0.01")))) == Decimal("0.01")
    assert request_share(window("5h", "0.5", samples=tuple([Decimal(1)] * 10 + [Decimal("0.002")] * 50))) == Decimal(
        "0.002"
    )
    assert request_share(window("7d", "0.5")) == Decimal(1) / 1000
    assert request_share(window("other", "0.5", span_s=36_000)) == Decimal(18_000) / (300 * 36_000)
    assert request_share(window("other", "0.5")) == Decimal(1) / 300
    assert request_share(window("5h", "0.5"), Decimal(2)) == Decimal(1) / 300 * 2


@pytest.mark.case("review R10.6")
async def test_a_window_that_is_not_there_is_no_constraint_and_is_not_told(cart: Repo) -> None:
    result = await review(cart, preview=True, quota=Quota(slot()))
    assert isinstance(result.plan, Plan)
    assert (result.plan.allowed.requests, result.estimate.windows) == (None, ())


@pytest.mark.case("review R10.7")
async def test_an_unknown_reset_is_unknown(cart: Repo) -> None:
    result = await review(cart, quota=Quota(slot(requests_window(0, resets_at=None))))
    assert (result.status, result.retry_at) == (RunStatus.DEFERRED, None)
    assert result.errors[0].variant == "one_unknown"


def test_an_old_reading_halves_the_share() -> None:
    found = allowance(slot(requests_window(100), is_stale=True), SHARE, {})
    assert (found.requests, found.is_halved) == (20, True)


class Unreachable(Quota):
    """Readings that are old, and a vendor that cannot be reached."""

    tried = 0

    async def refresh(self) -> None:
        self.tried += 1


@pytest.mark.case("review R10.9")
async def test_an_old_reading_that_cannot_be_renewed_halves_the_share_and_that_is_said(cart: Repo) -> None:
    quota = Unreachable(slot(requests_window(100), is_stale=True))
    result = await review(cart, ScriptedAnswerer(findings()), quota=quota)
    assert quota.tried
    assert result.plan is not None
    assert (result.plan.allowed.requests, result.plan.allowed.is_halved) == (20, True)
    voice = Voice(language="en")
    assert voice.say("review.stale") in opening(result, voice)


@pytest.mark.case("review R9.1")
async def test_sixty_files_of_one_line_take_few_requests_and_few_tokens(repo: Repo) -> None:
    repo.write("AGENTS.md", "Names are nouns. Errors are values.\n")
    for number in range(60):
        repo.write(
            f"src/m{number}.py",
            RUN.format(number=number, less=""),
        )
    repo.commit()
    for number in range(60):
        repo.write(
            f"src/m{number}.py",
            RUN.format(number=number, less=f" - {number}"),
        )
    said = findings(
        *(finding(f"src/m{number}.py", f"        total += len(name) - {number}") for number in range(0, 60, 20))
    )
    answerer = ScriptedAnswerer(said)
    result = await review(repo, answerer, quota=Quota(slot(requests_window(61))))
    assert len(answerer.requests) <= 4
    assert result.usage.tokens_in + result.usage.tokens_out <= 20_000
    assert len(result.inline) == 3


@pytest.mark.case("review R9.2")
async def test_prompts_stay_small_where_tokens_are_paid_for(repo: Repo) -> None:
    repo.write("keep.txt", "x\n")
    repo.commit()
    for number in range(60):
        repo.write(f"src/m{number}.py", BODY * 4)
    answerer = ScriptedAnswerer(findings())
    await review(repo, answerer, quota=Quota(slot(objective="token")))
    assert len(answerer.requests) > 4
    assert max(tokens_of(request.size) for request in answerer.requests) <= 25_000


@pytest.mark.case("review R9.3")
@pytest.mark.case("review R9.4")
async def test_units_fit_the_smallest_window_and_body_of_every_slot(repo: Repo) -> None:
    repo.write("keep.txt", "x\n")
    repo.commit()
    for number in range(30):
        repo.write(f"src/m{number}.py", "".join(f"value_{line} = 'x' * {line}\n" for line in range(60)))
    answerer = ScriptedAnswerer(findings())
    slots = Quota(
        slot(context_length=262_144, body_limit=40_000), slot(account="ci", objective="token", context_length=60_000)
    )
    await review(repo, answerer, quota=slots)
    assert max(tokens_of(request.size) for request in answerer.requests) <= 54_000 - 32_768
    assert max(request.size for request in answerer.requests) <= 40_000


def test_every_hunk_is_in_exactly_one_unit_and_files_of_a_directory_stay_together() -> None:
    ranked = many_files(70, 30)
    units = pack(ranked, LIMITS["token"])
    placed = [hunk.id for unit in units for file in unit.files for hunk in file.hunks]
    assert sorted(placed) == sorted(hunk.id for entry in ranked for hunk in entry.file.hunks)
    assert all(unit.changed <= 400 for unit in units)
    assert pack(ranked, LIMITS["token"]) == units


def test_a_test_shares_the_unit_of_its_source() -> None:
    texts = [
        f"--- /dev/null\n+++ b/{name}\n@@ -0,0 +1,180 @@\n" + "+x = 1\n" * 180
        for name in ("src/pay.py", "src/zoo.py", "tests/test_pay.py", "tests/test_zoo.py")
    ]
    ranked = [Ranked(file, risk_of(file)) for file in parse_patch("".join(texts).encode()).files]
    together = [set(unit.names) for unit in pack(ranked, LIMITS["token"])]
    assert {"src/pay.py", "tests/test_pay.py"} in together


def test_risk_puts_sensitive_code_before_documentation() -> None:
    names = ("docs/a.md", "tests/test_a.py", "src/a.py", "src/auth/login.py")
    files = [parse_patch(f"--- /dev/null\n+++ b/{name}\n@@ -0,0 +1 @@\n+x\n".encode()).files[0] for name in names]
    scores = [risk_of(file).score for file in files]
    assert scores == sorted(scores)


def test_the_byte_ratio_nears_what_is_billed_after_three_calls() -> None:
    ratio, truth = Decimal("3.1"), Decimal("3.8")
    for size in (10_000, 40_000, 25_000):
        ratio = learned(ratio, size, int(size / truth))
    assert abs(tokens_of(30_000, ratio) / (30_000 / float(truth)) - 1) < 0.15


@pytest.mark.case("review R19.3")
async def test_the_cost_limit_stops_before_the_call_that_could_exceed_it(repo: Repo) -> None:
    repo.write("keep.txt", "x\n")
    repo.commit()
    for number in range(6):
        repo.write(f"p{number}/m.py", "".join(f"v{line} = {line}\n" for line in range(390)))
    prices = Prices(hit=Decimal(1), miss=Decimal(1), output=Decimal(10), currency="USD")
    answerer = ScriptedAnswerer(
        lambda request: structs.replace(answered(findings(), request), cost=Money(Decimal("0.30"), "USD"))
    )
    result = await review(
        repo, answerer, quota=Quota(slot(objective="token", prices=prices)), user={"budget": {"max_cost": "USD 0.70"}}
    )
    assert len(answerer.requests) == 2
    assert result.usage.cost == Money(Decimal("0.60"), "USD")
    assert result.status is RunStatus.PARTIAL
    assert "PL-REVIEW-LIMIT" in [problem.code for problem in result.errors]
