"""Places proven by quotes, whatever else the model gets wrong."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perilune.patches.anchor import Rejected, anchor
from perilune.patches.finding import Anchor, Candidate, Level, Method
from perilune.patches.model import Diff, Side
from perilune.patches.parse import parse_patch
from perilune.patches.scene import ListedLine, Scene, file_text

PATCH = """\
diff --git a/src/a.py b/src/a.py
--- a/src/a.py
+++ b/src/a.py
@@ -10,6 +10,8 @@ def first():
 def first():
     value = load()
-    return value
+    if value is None:
+        raise Missing
+    return value.strip()
 
 
 def second():
@@ -40,5 +42,6 @@ def third():
     total = 0
     for item in items:
         total += item
+    log(total)
     return total
 
diff --git a/src/b.py b/src/b.py
--- a/src/b.py
+++ b/src/b.py
@@ -1,3 +1,4 @@
 import os
+import secrets
 
 NAME = os.environ["NAME"]
@@ -20,3 +21,4 @@ def other():
     for item in items:
         total += item
+    check(total)
     return total
"""  # noqa: W293 - blank lines of a diff hold a blank
DIFF = parse_patch(PATCH.encode())


def scene_of(diff: Diff) -> Scene:
    """A diff whose lines are shown as they are."""
    return Scene({file.name: file_text(file) for file in diff.files})


SCENE = scene_of(DIFF)


def place(
    quote: str, path: str = "src/a.py", side: Side = Side.NEW, start: int | None = None, scene: Scene = SCENE
) -> Anchor | Rejected:
    return anchor(Candidate(path=path, quote=quote, side=side, start_line=start), scene)


def at(found: Anchor | Rejected) -> tuple[int | None, int | None, Side, Method]:
    assert isinstance(found, Anchor)
    return found.start_line, found.end_line, found.side, found.method


def test_an_exact_quote_stands_at_its_lines() -> None:
    assert at(place("    if value is None:\n        raise Missing")) == (12, 13, Side.NEW, Method.EXACT)


@pytest.mark.case("review R3.1")
@pytest.mark.parametrize("shift", [-3, -1, 0, 1, 3])
def test_a_wrong_line_number_does_not_move_a_true_quote(shift: int) -> None:
    assert at(place("    log(total)", start=45 + shift)) == (45, 45, Side.NEW, Method.EXACT)


@pytest.mark.case("review R3.2")
@pytest.mark.parametrize("index", range(1, 20))
def test_an_index_into_the_shown_diff_does_not_move_a_true_quote(index: int) -> None:
    assert at(place("    log(total)", start=index)) == (45, 45, Side.NEW, Method.EXACT)


@pytest.mark.parametrize("quote", ["if  value is None:", "\tif value is None:  ", "    if value is None:\r"])
def test_changed_blanks_are_looked_through(quote: str) -> None:
    assert at(place(quote)) == (12, 12, Side.NEW, Method.NORMALISED)


@pytest.mark.case("review R3.3")
def test_a_quote_without_any_blank_is_found_by_its_index() -> None:
    file = DIFF.files[0]
    listing = [ListedLine("## src/a.py"), ListedLine("@@")]
    listing += [
        ListedLine(f"{line.new_no}+{line.text}", Side.NEW, line.new_no) for line in file.hunks[0].side(Side.NEW)
    ]
    scene = Scene(
        {
            "src/a.py": file_text(
                file, listing=[ListedLine(row.text.partition("+")[2], row.side, row.number) for row in listing]
            )
        }
    )
    assert at(place("ifvalueisNone:", start=5, scene=scene)) == (12, 12, Side.NEW, Method.DIFF_INDEX)
    assert at(place("if value isNone:", start=5, scene=scene)) == (12, 12, Side.NEW, Method.DIFF_INDEX)
    missed = place("ifvalueisNone:", start=9, scene=scene)
    assert isinstance(missed, Anchor)
    assert missed.level is Level.PR


def test_a_quote_of_removed_lines_stands_on_the_old_side_whatever_was_said() -> None:
    assert at(place("    return value")) == (12, 12, Side.OLD, Method.EXACT)


def test_unchanged_lines_stand_on_the_new_side_whatever_was_said() -> None:
    assert at(place("    total = 0", side=Side.OLD)) == (42, 42, Side.NEW, Method.EXACT)


@pytest.mark.parametrize(("start", "line"), [(1, 1), (30, 22), (21, 22), (None, 1)])
def test_of_several_equal_places_the_nearest_counts(start: int | None, line: int) -> None:
    patch = PATCH.replace("import secrets", "total += item").replace(
        "        total += item\n+    check", "total += item\n+    check"
    )
    found = place("total += item", "src/b.py", start=start, scene=scene_of(parse_patch(patch.encode())))
    assert isinstance(found, Anchor)
    assert found.start_line == (2 if line == 1 else line)
    assert found.is_ambiguous == (start is None)


@pytest.mark.case("review R3.4")
def test_a_wrong_path_is_mended_by_a_long_quote_that_stands_once() -> None:
    found = place('NAME = os.environ["NAME"]', "src/wrong.py")
    assert at(found) == (4, 4, Side.NEW, Method.RELOCATED)
    assert isinstance(found, Anchor)
    assert found.path == "src/b.py"


@pytest.mark.parametrize(
    "quote", ["import os", "        total += item", "    for item in items:\n        total += item", ""]
)
def test_a_wrong_path_with_a_short_or_common_quote_is_rejected(quote: str) -> None:
    assert place(quote, "src/wrong.py") is Rejected.WRONG_PATH


@pytest.mark.case("review R3.5")
@pytest.mark.case("review R3.6")
@pytest.mark.parametrize("quote", ["if the value is missing then raise", "", "}", "value = parse()\nreturn nothing"])
def test_a_paraphrase_or_nothing_is_never_a_line(quote: str) -> None:
    found = place(quote, start=12)
    assert isinstance(found, Anchor)
    assert (found.level, found.start_line) == (Level.PR, None)


@pytest.mark.case("review R3.9")
def test_of_four_lines_with_one_invented_three_remain() -> None:
    quote = "    if value is None:\n        raise Missing\n    return value.strip()\n    invented = 1"
    assert at(place(quote)) == (12, 14, Side.NEW, Method.NORMALISED)


def test_a_quote_outside_the_hunks_is_the_file_only_within_a_changed_symbol() -> None:
    head = [
        "def first():",
        *["    step()"] * 8,
        "    load()",
        "    x = 1",
        "    if value is None:",
        "        raise Missing",
    ]
    head += ["    return value.strip()", "", "", "def far():", "    unrelated_call()"]
    scene = Scene({"src/a.py": file_text(DIFF.files[0], head=head)})
    near = place("    step()\n    step()", scene=scene)
    far = place("    unrelated_call()", scene=scene)
    assert isinstance(near, Anchor)
    assert isinstance(far, Anchor)
    assert (near.level, far.level) == (Level.FILE, Level.PR)


@pytest.mark.parametrize("path", ["./src/a.py", "a/src/a.py", "b/src/a.py"])
def test_a_path_may_be_written_with_a_prefix(path: str) -> None:
    assert at(place("    log(total)", path))[0] == 45


def test_a_range_is_cut_to_ten_lines() -> None:
    lines = [f"line {number}" for number in range(30)]
    patch = "--- /dev/null\n+++ b/n.txt\n@@ -0,0 +1,30 @@\n" + "".join(f"+{line}\n" for line in lines)
    assert at(place("\n".join(lines), "n.txt", scene=scene_of(parse_patch(patch.encode()))))[:2] == (1, 10)


_LINES = [line[1:] for line in PATCH.split("\n") if line[:1] in "+- " and not line.startswith(("+++", "---"))]


@settings(max_examples=600, deadline=None)
@given(
    st.sampled_from(["src/a.py", "src/b.py", "src/c.py", ""]),
    st.lists(st.one_of(st.sampled_from(_LINES), st.text(max_size=12)), max_size=6),
    st.sampled_from(list(Side)),
    st.one_of(st.none(), st.integers(-5, 80)),
)
def test_no_anchor_lies_outside_of_the_diff(path: str, quote: list[str], side: Side, start: int | None) -> None:
    found = place("\n".join(quote), path, side, start)
    if isinstance(found, Rejected) or found.start_line is None or found.end_line is None:
        return
    file = DIFF.file(found.path)
    assert file is not None
    hunk = next(hunk for hunk in file.hunks if hunk.id == found.hunk_id)
    numbers = {line.number(found.side) for line in hunk.side(found.side)}
    assert set(range(found.start_line, found.end_line + 1)) <= numbers
