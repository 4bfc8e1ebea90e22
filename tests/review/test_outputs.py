"""One result, several formats."""

import json
from importlib.resources import files

import jsonschema
import pytest
from tests.patches.shapes import Repo
from tests.review.scripted import Quota, ScriptedAnswerer, finding, findings, requests_window, review, slot

from perilune.core.encode import encode_document
from perilune.core.messages import Voice
from perilune.core.width import width
from perilune.review.outputs.code_quality import code_quality
from perilune.review.outputs.document import review_document
from perilune.review.outputs.jsonl import jsonl
from perilune.review.outputs.markdown import code, fence, harmless, markdown
from perilune.review.outputs.rdjson import rdjson
from perilune.review.outputs.sarif import sarif
from perilune.review.outputs.text import opening, preview, text
from perilune.review.outputs.wording import tokens_word
from perilune.review.outputs.workflow import workflow_commands
from perilune.review.result import ReviewResult

MEAN = "        return total / len(self.items)"


@pytest.fixture
async def result(cart: Repo) -> ReviewResult:
    cart.write("uv.lock", "a\n")
    said = findings(
        finding(
            "src/cart.py",
            MEAN,
            title="An empty cart divides by zero",
            suggestion={
                "replace_quote": MEAN,
                "replacement": "        return total / len(self.items) if self.items else 0",
            },
        ),
        finding(
            "src/cart.py",
            "        found.append(repr(cart))",
            title="repr shows 100%: of, it",
            severity="medium",
            body="Line one.\nLine two.",
        ),
        finding("src/cart.py", "not there", title="Unplaced"),
    )
    return await review(cart, ScriptedAnswerer(said), quota=Quota(slot(requests_window(61))))


def schema() -> dict:
    return json.loads((files("perilune.review") / "schema" / "review.v1.json").read_text())


async def test_the_document_keeps_its_schema(result: ReviewResult, cart: Repo) -> None:
    jsonschema.Draft202012Validator.check_schema(schema())
    for case in (
        result,
        await review(cart, preview=True),
        await review(cart, quota=Quota(slot(requests_window(0)))),
        await review(cart, ScriptedAnswerer("junk", reask="junk")),
    ):
        document = json.loads(encode_document(review_document(case, Voice())))
        jsonschema.Draft202012Validator(schema()).validate(document)
        coverage = document["coverage"]
        assert (
            sum(coverage[name] for name in ("reviewed", "reused", "partial", "skipped", "failed")) == coverage["files"]
        )


async def test_text_is_as_people_are_promised(result: ReviewResult) -> None:
    voice = Voice()
    tokens = tokens_word(result.estimate.tokens_in + result.estimate.tokens_out)
    assert opening(result, voice) == [
        "2 files, +6 −1; 1 skipped (1 lock file)",
        f"Plan: 2 requests of work (5 h: 61 left), about {tokens} tokens. --preview stops here",
    ]
    lines = text(result, voice).split("\n")
    assert lines[0] == "high    src/cart.py:13       An empty cart divides by zero"
    assert lines[1] == "        It fails for an empty list. Return early."
    assert lines[2] == f"        - {MEAN}"
    assert "medium  src/cart.py:22       repr shows 100%: of, it" in lines
    assert lines[-1].startswith("2 findings (1 high, 1 medium) · 2 requests · ")
    assert lines[-1].endswith(" · plan quota · 0 s")
    assert "1 remark quotes code that is not in the change; it is left out." in lines


@pytest.mark.parametrize("language", ["en", "zh-CN"])
@pytest.mark.parametrize("columns", [80, 60])
async def test_text_fits_its_width(result: ReviewResult, language, columns: int) -> None:
    shown = text(result, Voice(language=language), columns)
    long = [line for line in shown.split("\n") if width(line) > columns and not line.strip().startswith(("-", "+"))]
    assert long in ([], [shown.split("\n")[-1]])
    assert preview(result, Voice(language=language))


async def test_nothing_of_the_code_reaches_the_terminal_as_a_command(repo: Repo) -> None:
    repo.write("keep.txt", "x\n")
    repo.commit()
    repo.write("ev\x1b[31mil.py", "x = '\x1b]0;t\x07'\n")
    said = findings(finding("ev\x1b[31mil.py", "x = '\x1b]0;t\x07'", title="bad \x1b[2J title", body="\x1b[1mbold"))
    result = await review(repo, ScriptedAnswerer(said))
    shown = text(result, Voice(), quotes=True) + "\n".join(opening(result, Voice())) + preview(result, Voice())
    assert "\x1b" not in shown
    assert len(result.inline) == 1


async def test_json_lines_end_with_the_counts(result: ReviewResult) -> None:
    rows = [json.loads(line) for line in jsonl(result, Voice()).splitlines()]
    assert [row["type"] for row in rows] == [
        "start",
        "estimate",
        "unit",
        "unit",
        "finding",
        "finding",
        "drop",
        "end",
    ]
    assert rows[-1]["findings"] == 2


@pytest.mark.case("review R18.2")
async def test_fingerprints_stay_when_lines_come_above_and_are_unique_for_code_quality(
    cart: Repo, result: ReviewResult
) -> None:
    cart.write("src/cart.py", "# above\n" * 100 + (cart.root / "src/cart.py").read_text())
    said = findings(
        finding("src/cart.py", MEAN, title="Other words for it"),
        finding("src/cart.py", "        found.append(repr(cart))"),
    )
    later = await review(cart, ScriptedAnswerer(said), quota=Quota(slot(requests_window(61))))
    for writer in (
        lambda shown: {entry["fingerprint"] for entry in code_quality(shown)},
        lambda shown: {entry["partialFingerprints"]["perilune/v1"] for entry in sarif(shown)["runs"][0]["results"]},
        lambda shown: {entry.fingerprint for entry in shown.inline},
    ):
        assert writer(result) == writer(later)
        assert len(writer(result)) == 2


async def test_sarif_names_rules_regions_fixes_and_gaps(result: ReviewResult) -> None:
    run = sarif(result)["runs"][0]
    first = run["results"][0]
    assert (first["ruleId"], first["level"]) == ("perilune/bug", "error")
    location = first["locations"][0]["physicalLocation"]
    assert (location["artifactLocation"]["uri"], location["region"]) == (
        "src/cart.py",
        {"startLine": 13, "endLine": 13},
    )
    assert "primaryLocationLineHash" not in json.dumps(run)
    assert first["fixes"][0]["artifactChanges"][0]["replacements"][0]["deletedRegion"]["startLine"] == 13
    assert [note["message"]["text"] for note in run["invocations"][0]["toolExecutionNotifications"]] == [
        "uv.lock: skipped (lockfile)"
    ]


@pytest.mark.case("review R18.3")
async def test_workflow_commands_are_escaped_and_the_worst_comes_first(result: ReviewResult) -> None:
    lines = workflow_commands(result).splitlines()
    assert lines[0].startswith("::error file=src/cart.py,line=13,endLine=13,title=An empty cart divides by zero::")
    assert (
        lines[1]
        == "::warning file=src/cart.py,line=22,endLine=22,title=repr shows 100%25%3A of%2C it::Line one.%0ALine two."
    )


@pytest.mark.case("review R18.4")
async def test_a_deletion_in_rdjson_ends_before_the_line_behind_it(result: ReviewResult) -> None:
    from perilune.patches.finding import Suggestion
    from perilune.review.outputs.rdjson import suggestion_of

    gone = Suggestion(replacement="", start_line=5, end_line=7, applies=True, parses=None, lines_changed=3, patch="")
    assert suggestion_of(gone) == {
        "range": {"start": {"line": 5, "column": 1}, "end": {"line": 8, "column": 1}},
        "text": "",
    }
    first = rdjson(result)["diagnostics"][0]
    assert first["location"] == {"path": "src/cart.py", "range": {"start": {"line": 13}, "end": {"line": 13}}}
    assert first["suggestions"][0]["range"] == {"start": {"line": 13}, "end": {"line": 13}}


@pytest.mark.parametrize(
    ("text_in", "never"),
    [
        ("cc @team now", " @team"),
        ("![x](https://evil.example)", "![x]"),
        ("[y](https://evil.example)", "]("),
        ("<script>", "<script"),
        ("<!-- perilune:finding v1 -->", "<!--"),
        ("/merge", "\n/merge"),
        ("closes #12", "closes #12"),
        ("a \u202e b", "\u202e"),
    ],
)
def test_nothing_in_markdown_is_live(text_in: str, never: str) -> None:
    assert never not in "\n" + harmless(text_in)


def test_a_fence_is_longer_than_any_inside() -> None:
    assert fence("a ```` b").startswith("`````\n")
    assert code("a`b") == "`` a`b ``"


async def test_markdown_says_what_was_left_out(result: ReviewResult) -> None:
    shown = markdown(result, Voice())
    assert shown.index("An empty cart divides by zero") < shown.index("1 remark quotes code")
    assert "Unplaced" not in shown


@pytest.mark.parametrize(
    ("count", "word"), [(812, "812"), (12_440, "12.4k"), (46_000, "46k"), (999_960, "1M"), (3_140_000, "3.1M")]
)
def test_tokens_as_people_read_them(count: int, word: str) -> None:
    assert tokens_word(count) == word
