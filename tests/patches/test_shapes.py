"""Every shape of change, through git and as a pasted patch, against git's own count."""

from pathlib import Path

import pytest
from tests.patches.shapes import SHAPES, Repo

from perilune.patches.assemble import assemble
from perilune.patches.model import Diff, FileKind, Line, LineKind, Status
from perilune.patches.parse import parse_patch
from perilune.patches.raw import RawEntry, parse_raw

pytestmark = pytest.mark.case("review R1.1")


@pytest.fixture(params=SHAPES, ids=lambda number: f"{number}-{SHAPES[number].__name__}")
def shape(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[int, Repo, str, str]:
    repo = Repo(tmp_path / "repo")
    return (request.param, repo, *SHAPES[request.param](repo))


def _assert_equals_git(diff: Diff, entries: tuple[RawEntry, ...]) -> None:
    assert [file.failure for file in diff.files] == [None] * len(entries)
    assert [file.path for file in diff.files] == [entry.path for entry in entries]
    assert [file.old_path or file.path for file in diff.files] == [entry.old_path or entry.path for entry in entries]
    assert [file.status for file in diff.files] == [entry.status for entry in entries]
    for file, entry in zip(diff.files, entries, strict=True):
        if entry.added is None:
            assert file.kind is FileKind.BINARY
        else:
            assert (file.added, file.removed) == (entry.added, entry.removed)


def _assert_lines_are_right(repo: Repo, diff: Diff, base: str, head: str) -> None:
    for file in diff.files:
        if file.kind is FileKind.SUBMODULE or file.status is Status.TYPE_CHANGED:
            continue
        old = _lines(repo, base, file.old_path or file.path) if file.status is not Status.ADDED else []
        new = _lines(repo, head, file.path) if file.status is not Status.DELETED else []
        for line in (line for hunk in file.hunks for line in hunk.lines):
            _assert_line(line, old, new)


def _assert_line(line: Line, old: list[bytes], new: list[bytes]) -> None:
    if line.old_no is not None:
        assert old[line.old_no - 1] == line.data
    if line.new_no is not None:
        assert new[line.new_no - 1] == line.data
    ends = [(old, line.old_no)] * (line.kind is not LineKind.ADDED) + [(new, line.new_no)] * (
        line.kind is not LineKind.REMOVED
    )
    for content, number in ends:
        assert line.no_eol == (number == len(content) and content[-1] != b"")


def _lines(repo: Repo, commit: str, path: bytes) -> list[bytes]:
    listing = repo.git("ls-tree", "-z", "-r", commit).split(b"\0")
    oid = next(row.split(b"\t", 1)[0].split()[2] for row in listing if row.split(b"\t", 1)[-1] == path)
    return repo.git("cat-file", "blob", oid.decode()).split(b"\n")


def test_a_shape_is_read_through_git_as_git_counts_it(shape: tuple[int, Repo, str, str]) -> None:
    number, repo, base, head = shape
    options = ("--binary",) if number == 13 else ()
    entries = parse_raw(repo.raw(base, head))
    diff = assemble(entries, parse_patch(repo.patch(base, head, *options)))
    _assert_equals_git(diff, entries)
    _assert_lines_are_right(repo, diff, base, head)


@pytest.mark.parametrize("quote_path", ["true", "false"])
def test_a_shape_is_read_from_a_pasted_patch_alone(shape: tuple[int, Repo, str, str], quote_path: str) -> None:
    number, repo, base, head = shape
    options = ("--binary",) if number == 13 else ()
    diff = parse_patch(repo.patch(base, head, *options, quote_path=quote_path))
    _assert_equals_git(diff, parse_raw(repo.raw(base, head)))
    _assert_lines_are_right(repo, diff, base, head)


@pytest.mark.parametrize(
    "options", [("--no-prefix",), ("--src-prefix=i/", "--dst-prefix=w/"), ("--src-prefix=old/", "--dst-prefix=new/")]
)
@pytest.mark.case("review R1.3")
def test_a_shape_is_read_whatever_the_prefix(shape: tuple[int, Repo, str, str], options: tuple[str, ...]) -> None:
    number, repo, base, head = shape
    binary = ("--binary",) if number == 13 else ()
    diff = parse_patch(repo.patch(base, head, *binary, *options))
    _assert_equals_git(diff, parse_raw(repo.raw(base, head)))


def test_a_shape_is_read_after_the_patch_file_lost_its_git_line(shape: tuple[int, Repo, str, str]) -> None:
    number, repo, base, head = shape
    if number in (5, 6) or number in (4, 7, 9, 10, 11, 12, 13, 14, 26, 27, 31):
        return  # without git's own lines there is no rename, mode, binary or empty file to tell
    drop = (b"diff --git", b"index ", b"new file mode", b"deleted file mode", b"old mode", b"new mode")
    kept = [line for line in repo.patch(base, head).split(b"\n") if not line.startswith(drop)]
    _assert_equals_git(parse_patch(b"\n".join(kept)), parse_raw(repo.raw(base, head)))
