"""Settings and rules come from the base, and only narrow."""

from decimal import Decimal

import pytest
from tests.patches.shapes import Repo
from tests.review.scripted import ScriptedAnswerer, findings, review

from perilune.core.errors import ConfigError
from perilune.review.acquire.inputs import InputKind, ReviewInput
from perilune.review.settings import settings_of


@pytest.mark.parametrize(
    ("text", "variant", "facts"),
    [
        ("[review]\nseverty = 'low'\n", "nearest", {"line": 2, "key": "severty", "nearest": "severity"}),
        ("[review]\n\n[review.budget]\nmax_request = 3\n", "nearest", {"line": 4, "nearest": "max_requests"}),
        ("[[review.paths]]\nmatch = '*'\nzzzzz = 1\n", "", {"line": 3, "key": "zzzzz"}),
        ("[reviw]\n", "nearest", {"line": 1, "nearest": "review"}),
        ("[review]\nseverity = 'worst'\n", "value", {"key": "severity"}),
        ("[review\n", "syntax", {"line": 1}),
    ],
)
def test_what_is_not_known_is_an_error_that_names_the_nearest(
    text: str, variant: str, facts: dict[str, object]
) -> None:
    with pytest.raises(ConfigError) as caught:
        settings_of(text.encode())
    problem = caught.value.problem
    assert (problem.code, problem.variant) == ("PL-REVIEW-CONFIG", variant)
    assert facts.items() <= dict(problem.facts).items()


def test_a_repository_narrows_and_never_widens() -> None:
    user = {"budget": {"max_requests": 10, "max_share": 0.3}, "redact_secrets": True, "severity": "high"}
    text = b"[review]\nseverity = 'low'\nredact_secrets = false\napprove = true\n"
    text += b"[review.budget]\nmax_requests = 99\nmax_tokens = 5\nmax_share = 0.9\n"
    settings, ignored = settings_of(text, user)
    assert settings.severity == "low"
    assert (settings.redact_secrets, settings.approve, ignored) == (True, False, ("approve", "redact_secrets"))
    assert (settings.budget.max_requests, settings.budget.max_tokens, settings.budget.max_share) == (
        10,
        5,
        Decimal("0.3"),
    )


def test_a_flag_comes_before_everything() -> None:
    settings, _ = settings_of(b"[review]\nseverity = 'low'\n", {"severity": "high"}, {"severity": "nit"})
    assert settings.severity == "nit"


async def test_rules_are_read_from_the_root_down_to_the_changed_file_at_the_base(repo: Repo) -> None:
    repo.write("AGENTS.md", "Root rule.\n\n@docs/more.md\n@../outside.md\n")
    repo.write("docs/more.md", "Imported rule.\n")
    repo.write("src/agents.md", "Source rule.\n")
    repo.write("src/deep/REVIEW.md", "Deep rule.\n")
    repo.write("other/REVIEW.md", "Other rule.\n")
    repo.write("src/deep/a.py", "x = 1\n")
    repo.commit()
    repo.write("src/deep/a.py", "x = 2\n")
    repo.write("src/agents.md", "Source rule changed.\n")
    answerer = ScriptedAnswerer(findings())
    result = await review(repo, answerer)
    prompt = answerer.requests[0].user
    order = [prompt.index(word) for word in ("Root rule.", "Imported rule.", "Source rule.\n", "Deep rule.")]
    assert order == sorted(order)
    assert "Other rule." not in prompt
    assert [rule.path for rule in result.config.rules] == ["AGENTS.md", "src/agents.md", "src/deep/REVIEW.md"]
    assert result.config.rules[0].missing_imports == ("../outside.md",)
    assert result.config.rules_changed_in_head


async def test_a_range_reads_them_at_its_merge_base(repo: Repo) -> None:
    repo.write("REVIEW.md", "Base rule.\n")
    repo.commit()
    repo.git("checkout", "-q", "-b", "topic")
    repo.write("REVIEW.md", "Topic rule.\n")
    repo.write("a.py", "x = 1\n")
    repo.commit()
    answerer = ScriptedAnswerer(findings())
    source = ReviewInput(kind=InputKind.RANGE, directory=str(repo.root), name="main..topic")
    await review(source, answerer)
    rules = answerer.requests[0].user.split("Review this change")[0]
    assert "Base rule." in rules
    assert "Topic rule." not in rules


async def test_long_rules_are_cut_from_the_farthest_and_said_so(repo: Repo) -> None:
    repo.write("AGENTS.md", "# One\n" + "far " * 3_000 + "\n# Two\n" + "far " * 3_000)
    repo.write("src/AGENTS.md", "near " * 1_000)
    repo.write("src/a.py", "x = 1\n")
    repo.commit()
    repo.write("src/a.py", "x = 2\n")
    answerer = ScriptedAnswerer(findings())
    result = await review(repo, answerer)
    assert [rule.truncated for rule in result.config.rules] == [True, False]
    assert answerer.requests[0].user.count("near") == 1_000
