"""Suggestions are proven or shown as prose with the reason."""

import subprocess
from pathlib import Path

import pytest
from msgspec import structs

from perilune.patches.finding import Anchor, Category, Finding, Level, Method, Proposal, Severity, Suggestion
from perilune.patches.model import Side
from perilune.patches.suggestion import Demotion
from perilune.review.suggest import prove, settle_suggestions

CODE = """\
import os


def load(path):
    if path is None:
        return None
    with open(path) as file:
        data = file.read()
    return data


def save(path, data):
    file = open(path, "w")
    file.write(data)
"""


def proposed(old: str, new: str, code: str = CODE, path: str = "a.py", **more) -> Finding:
    lines = code.split("\n")
    quoted = old.split("\n")
    start = (
        next(at for at in range(len(lines)) if [line.rstrip("\r") for line in lines[at : at + len(quoted)]] == quoted)
        + 1
    )
    given = {"side": Side.NEW, "method": Method.EXACT} | {
        key: more.pop(key) for key in ("side", "method") if key in more
    }
    where = Anchor(
        path=path,
        start_line=start,
        end_line=start + len(quoted) - 1,
        hunk_id="h",
        level=Level.RANGE,
        quote=old,
        **given,
    )
    return Finding(
        id=more.pop("id", "1"),
        unit_id="u1",
        severity=more.pop("severity", Severity.HIGH),
        category=Category.BUG,
        title=more.pop("title", "It is wrong"),
        body="",
        anchor=where,
        proposal=Proposal(more.pop("replace_quote", old), new),
    )


def outcome(old: str, new: str, code: str = CODE, **more) -> Suggestion | Demotion:
    return prove(proposed(old, new, code, **more), code.encode())


def accepted(old: str, new: str, code: str = CODE, **more) -> Suggestion:
    found = outcome(old, new, code, **more)
    assert isinstance(found, Suggestion), found
    return found


OPEN = '    file = open(path, "w")\n    file.write(data)'
WITH = '    with open(path, "w") as file:\n        file.write(data)'


def test_a_whole_replacement_is_suggested_applied_and_parsed(tmp_path: Path) -> None:
    found = accepted(OPEN, WITH)
    assert (found.applies, found.parses, found.lines_changed) == (True, True, 2)
    (tmp_path / "a.py").write_text(CODE)
    apply = ["git", "apply", "-"]
    subprocess.run(apply, cwd=tmp_path, input=found.patch.encode(), check=True)
    assert (tmp_path / "a.py").read_text() == CODE.replace(OPEN, WITH)
    assert (
        subprocess.run(apply, cwd=tmp_path, input=found.patch.encode(), check=False, capture_output=True).returncode
        != 0
    )


@pytest.mark.case("review R6.1")
def test_a_uniform_indent_is_shifted() -> None:
    assert accepted(OPEN, 'with open(path, "w") as file:\n    file.write(data)').replacement == WITH


@pytest.mark.case("review R6.2")
@pytest.mark.parametrize(
    "new",
    [
        'with open(path, "w") as file:\n        file.write(data)\n    file.write(data)',
        "file = None\n    file.write(data)",
    ],
)
def test_a_mixed_indent_is_prose(new: str) -> None:
    assert outcome(OPEN, new) is Demotion.INDENT


@pytest.mark.case("review R6.3")
def test_an_extra_bracket_is_prose() -> None:
    code = "function f(a) {\n  return a.b;\n}\n"
    assert outcome("  return a.b;", "  return a?.b;\n}", code, path="a.js") in (
        Demotion.BALANCE,
        Demotion.REPEATS,
        Demotion.INDENT,
    )
    assert outcome("  return a.b;", "  return (a?.b;", code, path="a.js") is Demotion.BALANCE


@pytest.mark.case("review R6.4")
@pytest.mark.parametrize(
    "new", ["    if path is None:\n        return ''", "        return ''\n    with open(path) as file:"]
)
def test_a_repeated_neighbour_is_prose(new: str) -> None:
    assert outcome("        return None", new) in (Demotion.REPEATS, Demotion.INDENT)


def test_the_neighbours_alone_are_what_is_not_repeated() -> None:
    code = "a = 1\nb = 2\nc = 3\n"
    assert outcome("b = 2", "a = 1\nb = 3", code) is Demotion.REPEATS
    assert outcome("b = 2", "b = 3\nc = 3", code) is Demotion.REPEATS


@pytest.mark.case("review R6.5")
def test_nothing_changed_and_nothing_left_are_prose_but_a_removal_is_none() -> None:
    assert outcome("    return data", "    return  data ") is Demotion.NOOP
    assert outcome("    return data", "") is Demotion.EMPTY
    assert accepted("import os", "", title="Remove the unused import").replacement == ""


@pytest.mark.case("review R6.6")
def test_removed_lines_and_other_ranges_are_prose() -> None:
    assert outcome("    return data", "    return data.strip()", side=Side.OLD) is Demotion.OLD_SIDE
    assert outcome("    return data", "    return data.strip()", method=Method.DIFF_INDEX) is Demotion.NOT_ANCHORED
    assert (
        outcome(
            "    return data", "    return data.strip()", replace_quote="        data = file.read()\n    return data"
        )
        is Demotion.RANGE
    )


@pytest.mark.case("review R6.7")
def test_blanks_become_the_tabs_of_the_file() -> None:
    code = "func f() error {\n\tif x {\n\t\treturn nil\n\t}\n\treturn err\n}\n"
    found = accepted("\tif x {\n\t\treturn nil\n\t}", "    if x && y {\n        return nil\n    }", code, path="a.go")
    assert found.replacement == "\tif x && y {\n\t\treturn nil\n\t}"


@pytest.mark.case("review R6.9")
@pytest.mark.parametrize(
    "line", ["    # ... existing code ...", "    ...", "    // existing code", "    # rest of the function"]
)
def test_an_ellipsis_is_prose(line: str) -> None:
    assert outcome("    return data", f"    data = data.strip()\n{line}\n    return data") is Demotion.TRUNCATED


@pytest.mark.case("review R6.10")
def test_of_two_that_overlap_the_weightier_stays() -> None:
    light = proposed("    return data", "    return data.strip()", id="1", severity=Severity.LOW)
    heavy = proposed(
        "        data = file.read()\n    return data", "        data = file.read()\n    return data or None", id="2"
    )
    settled = settle_suggestions([light, heavy], {"a.py": CODE.encode()}, is_on=True)
    assert [entry.suggestion is not None for entry in settled] == [False, True]
    assert settled[0].suggestion_note == "overlap"


@pytest.mark.parametrize("new", ["-    return data\n+    return data.strip()", "+    return data.strip()"])
def test_diff_marks_are_prose(new: str) -> None:
    assert outcome("    return data", new) is Demotion.DIFF_MARKS


def test_what_no_longer_parses_or_calls_what_nobody_knows_is_prose() -> None:
    assert outcome("    return data", "    return data if") is Demotion.DOES_NOT_PARSE
    assert outcome("    return data", "    return sanitize(data)") is Demotion.NAMES
    assert outcome("    return data", "    return str(data)") is not Demotion.NAMES


def test_a_marker_of_a_secret_never_becomes_code() -> None:
    assert outcome("    return data", "    return '⟨secret:key:1⟩'") is Demotion.TRUNCATED


def test_line_endings_and_the_open_end_of_a_file_are_kept() -> None:
    crlf = "a = 1\r\nb = 2\r\nc = 3\r\n"
    assert "+b = 3\r\n" in accepted("b = 2", "b = 3", crlf).patch
    open_end = "a = 1\nb = 2"
    assert accepted("b = 2", "b = 3", open_end).patch.endswith("+b = 3\n\\ No newline at end of file\n")


@pytest.mark.parametrize("path", ["dir with space/a.py", 'qu"ote.py', "f\u00fcr.py"])
def test_a_patch_names_any_path_as_git_does(path: str, tmp_path: Path) -> None:
    found = accepted(OPEN, WITH, path=path)
    (tmp_path / path).parent.mkdir(exist_ok=True)
    (tmp_path / path).write_text(CODE)
    subprocess.run(["git", "apply", "-"], cwd=tmp_path, input=found.patch.encode(), check=True)
    assert (tmp_path / path).read_text() == CODE.replace(OPEN, WITH)


@pytest.mark.case("review R6.8")
def test_code_that_holds_a_fence_gets_a_longer_one() -> None:
    from perilune.forges.contract.port import LineSpot, Place
    from perilune.forges.contract.registry import forge_kinds
    from perilune.review.publish.texts import suggestion_text

    code = "# Use\n\nrun\n\nend\n"
    finding = proposed("run", "````sh\nrun --safely\n````", code, path="a.md")
    found = prove(finding, code.encode())
    assert isinstance(found, Suggestion), found
    at = LineSpot(old=None, new=found.start_line, old_counter=1, new_counter=found.start_line)
    shown = suggestion_text(
        structs.replace(finding, suggestion=found),
        Place(path="a.md", old_path="a.md", start=at, end=at),
        forge_kinds()["github"].spec,
    )
    first, *_, last = shown.split("\n")
    assert (first, last) == ("`````suggestion", "`````")


def test_code_that_is_not_proven_stands_as_prose_and_never_as_a_suggestion() -> None:
    from perilune.core.messages import Voice
    from perilune.forges.contract.port import LineSpot, Place
    from perilune.forges.contract.registry import forge_kinds
    from perilune.review.publish.texts import comment_text

    finding = proposed("    return data", "    return sanitize(data)")
    settled = settle_suggestions([finding], {"a.py": CODE.encode()}, is_on=True)[0]
    at = LineSpot(old=None, new=9, old_counter=9, new_counter=9)
    text = comment_text(
        settled, Place(path="a.py", old_path="a.py", start=at, end=at), forge_kinds()["github"].spec, Voice()
    )
    assert settled.suggestion_note == "unknown_names"
    assert "```\n    return sanitize(data)\n```" in text
    assert "suggestion" not in text


def test_a_suggestion_never_carries_our_own_mark() -> None:
    assert outcome("    return data", "    return data  # <!-- perilune:summary v1 -->") is Demotion.MARKER
