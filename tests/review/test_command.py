"""`perilune review` as it is typed."""

import io
import json
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from tests.patches.shapes import Repo
from tests.review.scripted import NOW, MemoryAnswers, Quota, ScriptedAnswerer, finding, findings, requests_window, slot

from perilune.faces.cli.run import run
from perilune.faces.cli.session import Session
from perilune.review.ports import NoQuota
from perilune.review.run import ReviewServices

MEAN = "        return total / len(self.items)"


class Display:
    lang = None
    tz = "UTC"
    ambiguous_width = 1
    clock = "24h"


class Bench:
    """A workbench with a scripted model."""

    def __init__(self, answerer: ScriptedAnswerer | None, quota=None) -> None:
        self.environment = {"LANG": "en_US.UTF-8"}
        self._answerer, self._quota = answerer, quota or NoQuota()

    def now(self):
        return NOW

    def display(self) -> Display:
        return Display()

    @asynccontextmanager
    async def review_services(self, *, preview: bool) -> AsyncIterator[ReviewServices]:
        answerer = None if preview else self._answerer
        yield ReviewServices(answerer=answerer, quota=self._quota, answers=MemoryAnswers(), clock=lambda: NOW)


def typed(
    *arguments: str, answerer: ScriptedAnswerer | None = None, quota=None, stdin: str = ""
) -> tuple[int, str, str]:
    bench = Bench(answerer, quota)
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8", newline="") for _ in range(2))
    session = Session(bench, stdin=io.TextIOWrapper(io.BytesIO(stdin.encode())), stdout=out, stderr=err)
    status = run(["review", *arguments], bench, session)
    for stream in (out, err):
        stream.flush()
    return status, out.buffer.getvalue().decode(), err.buffer.getvalue().decode()


@pytest.fixture(autouse=True)
def _inside(cart: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(cart.root)


def test_a_review_says_its_plan_beside_the_answer_and_exits_by_fail_on() -> None:
    for fail_on, expected in (("never", 0), ("critical", 0), ("high", 1), ("nit", 1)):
        answerer = ScriptedAnswerer(findings(finding("src/cart.py", MEAN)))
        status, out, err = typed("--fail-on", fail_on, answerer=answerer, quota=Quota(slot(requests_window(61))))
        assert status == expected
        assert out.startswith("high    src/cart.py:13")
        assert err.startswith("1 file, +5 −1\nPlan: 2 requests of work (5 h: 61 left)")


def test_unsure_findings_never_fail_a_review() -> None:
    answerer = ScriptedAnswerer(findings(finding("src/cart.py", MEAN)), verify="junk")
    assert typed("--fail-on", "nit", answerer=answerer)[0] == 0


def test_unverified_findings_of_low_effort_count() -> None:
    answerer = ScriptedAnswerer(findings(finding("src/cart.py", MEAN)))
    assert typed("--fail-on", "high", "--effort", "low", answerer=answerer)[0] == 1
    assert len(answerer.requests) == 1


def test_a_preview_needs_no_account() -> None:
    status, out, err = typed("--preview")
    assert status == 0
    assert "risk  15  src/cart.py" in out
    assert "no account yet" in err


def test_a_review_without_an_account_says_how_to_get_one() -> None:
    status, _, err = typed("-q")
    assert status == 4
    assert "error[PL-ACCOUNT-NONE]" in err


def test_json_is_one_document() -> None:
    status, out, err = typed("--format", "json", answerer=ScriptedAnswerer(findings(finding("src/cart.py", MEAN))))
    assert (status, err) == (0, "")
    assert json.loads(out)["schema"] == "perilune.review.v1"


@pytest.mark.parametrize("name", ["jsonl", "markdown", "sarif", "rdjson", "gitlab", "github"])
def test_every_format_is_written(name: str) -> None:
    status, out, _ = typed("--format", name, answerer=ScriptedAnswerer(findings(finding("src/cart.py", MEAN))))
    assert status == 0
    assert "src/cart.py" in out


def test_a_plan_that_does_not_fit_is_refused_before_anything_is_spent() -> None:
    answerer = ScriptedAnswerer()
    status, out, err = typed(
        answerer=answerer, quota=Quota(slot(requests_window(1)), slot(requests_window(0), account="spare"))
    )
    assert (status, out, answerer.requests) == (5, "", [])
    assert "error[PL-REVIEW-BUDGET]: This review needs 1 request; work allows 0 until 14:07." in " ".join(err.split())
    assert "Nothing was spent." in err


def test_a_patch_on_standard_input() -> None:
    patch = "--- a/x.py\n+++ b/x.py\n@@ -1 +1 @@\n-x = 1\n+x = 2\n"
    status, out, _ = typed("--diff", "-", "--format", "json", answerer=ScriptedAnswerer(), stdin=patch)
    assert status == 0
    assert [item["path"] for item in json.loads(out)["coverage"]["items"]] == ["x.py"]


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (("--staged", "--commit", "HEAD"), 2, "--staged, --commit do not go together."),
        (("--range", "main..nowhere"), 2, "main..nowhere is not a range here."),
        (("--commit", "nowhere"), 2, "nowhere is not a commit here."),
        (("--diff", "missing.patch"), 2, "missing.patch cannot be read."),
        (("--fail-on", "worst"), 2, "--fail-on is one of never, critical"),
        (("--staged",), 0, "There is nothing to review."),
    ],
)
def test_what_cannot_be_done_is_said(arguments: tuple[str, ...], status: int, words: str) -> None:
    found, _, err = typed(*arguments, answerer=ScriptedAnswerer())
    assert found == status
    assert words in " ".join(err.split())


def test_an_unknown_setting_of_the_base_names_the_nearest(cart: Repo) -> None:
    cart.write(".perilune.toml", "[review]\nsevrity = 'low'\n")
    cart.git("add", ".perilune.toml")
    cart.git("commit", "-q", "-m", "settings")
    status, _, err = typed(answerer=ScriptedAnswerer())
    assert status == 2
    assert ".perilune.toml:2: unknown key 'sevrity'. Nearest: severity." in " ".join(err.split())


def test_help_imports_no_heavy_module() -> None:
    code = (
        "import sys; import perilune.faces.cli.review\n"
        "heavy = ('perilune.review', 'perilune.patches', 'sqlalchemy', 'rich')\n"
        "print([name for name in sys.modules if name.startswith(heavy)])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": str(Path(__file__).parents[2] / "src")},
    )
    assert "perilune." not in done.stdout
    assert "sqlalchemy" not in done.stdout
