from pathlib import Path

import pytest

from scripts import _cases

REFERENCE = """\
## 8. Before

| 1.1 | not a case |

## 9. Acceptance cases

### 9.1 Settings

| # | Input | Expected |
|---|---|---|
| 1.1 | a key | an account |
| 1.10 | another | `2.2 | x` |
| FO-03 | rate | next |
| R7.2 | shifted | none |
| N16 | reset | rounded |

## 10. Behind

| 9.9 | not a case |
"""


def test_the_index_has_every_reference_and_no_empty_title() -> None:
    index = _cases.load_index()
    assert {case.partition(" ")[0] for case in index} == set(_cases.REFERENCES)
    assert all(title.strip() for title in index.values())


def test_every_mark_names_a_case() -> None:
    assert [mark for mark in _cases.marks_of(_cases.ROOT / "tests") if mark.case not in _cases.load_index()] == []


def test_marks_are_found_wherever_they_stand() -> None:
    source = """
import pytest
pytestmark = [pytest.mark.case("accounts 1.1")]
@pytest.mark.case("accounts 1.2", "accounts 1.3")
async def test_one(): ...
@pytest.mark.parametrize("x", [pytest.param(1, marks=pytest.mark.case("review R1.1"))])
class TestTwo: ...
other.case("accounts 9.9")
"""
    marks = list(_cases.marks_in(source, "test_x.py"))
    assert {mark.case for mark in marks} == {"accounts 1.1", "accounts 1.2", "accounts 1.3", "review R1.1"}
    assert _cases.Mark("accounts 1.1", "test_x.py:3") in marks


def test_a_mark_that_is_no_text_is_no_case() -> None:
    assert [mark.case for mark in _cases.marks_in("pytest.mark.case(NAME)", "x.py")] == ["NAME"]


def test_cases_of_a_reference_are_the_rows_below_their_heading() -> None:
    assert _cases.cases_of_reference(REFERENCE) == ["1.1", "1.10", "FO-03", "R7.2", "N16"]


def test_the_index_is_compared_in_both_directions(tmp_path: Path) -> None:
    for reference in _cases.REFERENCES:
        (tmp_path / f"{reference}.md").write_text("## 1. Acceptance cases\n", encoding="utf-8")
    (tmp_path / "gateway.md").write_text("## 1. Acceptance cases\n| FO-01 |\n| FO-01 |\n| FO-09 |\n", encoding="utf-8")
    assert _cases.difference({"gateway FO-01": "x", "gateway FO-02": "y"}, tmp_path) == [
        "not in the index: gateway FO-09",
        "not in the reference: gateway FO-02",
        "twice in the reference: gateway FO-01",
    ]


def test_the_report_counts_and_lists_what_is_missing() -> None:
    index = {"accounts 1.1": "one", "accounts 1.2": "two", "gateway FO-01": "three"}
    assert list(_cases.report(index, {"accounts 1.1", "gateway FO-01"}, titles=False))[:3] == [
        "accounts: 1/2 shown",
        "  missing: 1.2",
        "gateway: 1/1 shown",
    ]
    assert "  1.2     two" in list(_cases.report(index, set(), titles=True))


def test_an_unknown_mark_fails(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(_cases, "marks_of", lambda folder: [_cases.Mark("gateway FO-99", "tests/test_x.py:3")])
    assert _cases.main(["--quiet"]) == 1
    assert capsys.readouterr().err == "tests/test_x.py:3: no case is called 'gateway FO-99'\n"
