"""Another reviewer's file becomes our settings, and settings that cannot be used are told of."""

import tomllib

import pytest
from tests.patches.shapes import Repo
from tests.review.scripted import ScriptedAnswerer, findings, review

from perilune.core.errors import ConfigError
from perilune.core.messages import Voice
from perilune.review.exits import exit_code
from perilune.review.kodus import migrate
from perilune.review.outputs.text import opening
from perilune.review.publish.summary import summary_text
from perilune.review.result import RunStatus
from perilune.review.settings import settings_of

STOCK = """\
version: "1.2"
automatedReviewActive: true
reviewCadence:
  type: automatic
  timeWindow: 15
runOnDraft: true
pullRequestApprovalActive: true
isRequestChangesActive: true
ignorePaths:
  - "**/*.json"
  - package.json
  - yarn.lock
  - "**/*.svg"
ignoredTitleKeywords: ["WIP", "draft"]
baseBranches:
  - main
  - "=develop"
  - "!legacy/*"
  - "contains:hotfix"
enableCommittableSuggestions: false
byokModel: some-model
reviewOptions:
  bug: true
  security: true
  performance: false
  business_logic: true
suggestionControl:
  severityLevelFilter: high
  applyFiltersToKodyRules: false
  groupingMode: full
summary:
  generatePRSummary: false
  behaviourForExistingDescription: concatenate
customMessages:
  startReviewMessage: hello
"""


@pytest.mark.case("review R22.2")
def test_a_stock_file_is_migrated_without_hiding_manifests() -> None:
    found = migrate(STOCK.encode())
    settings, ignored = settings_of(found.toml.encode())
    assert tomllib.loads(found.toml)["review"] == found.table
    assert ignored == ()
    assert settings.ignore == ("yarn.lock", "**/*.svg")
    assert (settings.on_push, settings.drafts, settings.fail_on, settings.severity) == (
        "auto",
        True,
        "critical",
        "high",
    )
    assert (settings.ignore_titles, settings.base_branches) == (("WIP", "draft"), ("main", "develop", "!legacy/*"))
    assert (settings.suggestions, settings.summary) == (False, "off")
    assert "performance" not in settings.categories
    assert {"bug", "security"} <= set(settings.categories)
    assert found.not_carried == (
        "reviewCadence.timeWindow", "pullRequestApprovalActive", "baseBranches: contains:hotfix", "byokModel",
        "suggestionControl.groupingMode", "summary.behaviourForExistingDescription", "customMessages",
    )  # fmt: skip


def test_globs_of_ones_own_are_kept_and_comments_are_named() -> None:
    found = migrate(b"# ours\nignorePaths:\n  - package.json\n")
    assert (found.table, found.not_carried) == ({"ignore": ["package.json"]}, ("comments",))


def test_what_is_no_mapping_is_named_as_a_whole() -> None:
    assert migrate(b"- a\n- b\n").not_carried == ("kodus-config.yml",)
    assert migrate(b"\xff\xfe").table == {}


async def test_the_file_counts_at_the_base_where_there_is_none_of_ours(repo: Repo) -> None:
    repo.write("kodus-config.yml", STOCK)
    repo.commit()
    repo.write("package.json", '{"scripts": {}}\n')
    result = await review(repo, ScriptedAnswerer(findings()), preview=True)
    assert result.config.source == "kodus"
    assert [item.path for item in result.coverage] == ["package.json"]
    said = "\n".join(opening(result, Voice()))
    assert "kodus-config.yml" in said
    assert '[review]\non_push = "auto"\n' in said
    assert "byokModel" in summary_text(result, Voice(), limit=60_000)
    repo.write(".perilune.toml", "[review]\n")
    repo.commit()
    repo.write("a.py", "x = 1\n")
    assert (await review(repo, ScriptedAnswerer(findings()), preview=True)).config.source == "repository"


@pytest.mark.case("review R22.3")
async def test_an_unknown_key_stops_the_command_line_and_not_the_forge(cart: Repo) -> None:
    cart.git("checkout", "-q", "HEAD", "--", ".")
    cart.write(".perilune.toml", "[review]\nseverty = 'low'\n")
    cart.commit()
    cart.write("src/more.py", "x = 1\n")
    with pytest.raises(ConfigError) as caught:
        await review(cart, ScriptedAnswerer(findings()))
    assert (caught.value.problem.facts["line"], caught.value.problem.facts["nearest"]) == (2, "severity")
    assert caught.value.problem.exit_code == 2
    result = await review(cart, ScriptedAnswerer(findings()), is_lenient=True)
    assert (result.status, exit_code(result)) == (RunStatus.COMPLETE, 0)
    assert [problem.code for problem in result.errors] == ["PL-REVIEW-CONFIG"]
    assert ".perilune.toml:2: unknown key 'severty'. Nearest: severity." in summary_text(result, Voice(), limit=60_000)
