"""Patches as people paste them, damaged ones too."""

import random
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.patches.shapes import OPTIONS, Repo

from perilune.patches.assemble import assemble
from perilune.patches.model import FileKind, Status
from perilune.patches.parse import parse_patch
from perilune.patches.raw import RawUnreadableError, parse_raw

ONE = (
    b"diff --git a/a.py b/a.py\nindex 1111111..2222222 100644\n--- a/a.py\n+++ b/a.py\n"
    b"@@ -1,3 +1,3 @@ def f():\n x\n-y\n+z\n w\n"
)
TWO = ONE.replace(b"a.py", b"b.py")


@pytest.mark.case("review R1.4")
def test_a_mail_with_a_signature_is_one_file() -> None:
    mail = (
        b"From 0123 Mon Sep 17 00:00:00 2001\nFrom: Ada <ada@example.org>\nSubject: [PATCH] change\n\n"
        b"Words.\n---\n a.py | 2 +-\n"
        b" 1 file changed, 1 insertion(+), 1 deletion(-)\n\n" + ONE + b"-- \n2.39.5\n\n"
    )
    files = parse_patch(mail).files
    assert [(file.path, file.added, file.removed, file.failure) for file in files] == [(b"a.py", 1, 1, None)]


@pytest.mark.case("review R1.5")
def test_a_whole_diff_inside_a_hunk_is_content() -> None:
    inside = ONE.rstrip(b"\n").split(b"\n")
    hunk = b"@@ -0,0 +1,%d @@\n" % len(inside) + b"".join(b"+" + line + b"\n" for line in inside)
    patch = b"diff --git a/p.patch b/p.patch\nnew file mode 100644\n--- /dev/null\n+++ b/p.patch\n" + hunk
    files = parse_patch(patch).files
    assert [(file.path, len(file.hunks), file.added) for file in files] == [(b"p.patch", 1, len(inside))]


@pytest.mark.parametrize("cut", [len(ONE) + 30, len(ONE) + len(TWO) - 6])
def test_a_patch_cut_off_keeps_what_is_whole_and_names_the_byte(cut: int) -> None:
    files = parse_patch((ONE + TWO)[:cut]).files
    assert files[0].failure is None
    assert files[0].added == 1
    assert len(files) == 1 or (files[1].failure is not None and len(ONE) < files[1].failure.offset <= cut + 1)


def test_reading_goes_on_after_what_cannot_be_read() -> None:
    broken = ONE.replace(b"\n-y\n", b"\n?y\n")
    files = parse_patch(broken + TWO).files
    assert [file.failure is None for file in files] == [False, True]


@pytest.mark.case("review R1.8")
@pytest.mark.parametrize("start", [b"diff --cc a.py\n", b"diff --combined a.py\n", ONE + b"diff --cc a.py\n"])
def test_a_combined_diff_is_refused(start: bytes) -> None:
    assert parse_patch(start + b"index 1,2..3\n").refused == "combined"


@pytest.mark.parametrize(
    ("headers", "name", "status"),
    [
        (b"--- a.py\t2026-11-20 10:00:00\n+++ a.py\t2026-11-20 10:01:00\n", b"a.py", Status.MODIFIED),
        (b"--- old/lib/a.py\n+++ new/lib/a.py\n", b"lib/a.py", Status.MODIFIED),
        (b"--- i/a.py\n+++ w/a.py\n", b"a.py", Status.MODIFIED),
        (b"--- a/a/x.py\n+++ b/a/x.py\n", b"a/x.py", Status.MODIFIED),
        (b"--- a/x.py\n+++ a/x.py\n", b"a/x.py", Status.MODIFIED),
        (b'--- "a/f\\303\\251.py"\n+++ "b/f\\303\\251.py"\n', "f\u00e9.py".encode(), Status.MODIFIED),
        (b"--- a/with space.py\t\n+++ b/with space.py\t\n", b"with space.py", Status.MODIFIED),
        (b"--- /dev/null\n+++ b/new.py\n", b"new.py", Status.ADDED),
        (b"--- a/gone.py\n+++ /dev/null\n", b"gone.py", Status.DELETED),
    ],
)
def test_names_without_a_git_line(headers: bytes, name: bytes, status: Status) -> None:
    files = parse_patch(headers + b"@@ -1 +1 @@\n-x\n+y\n").files
    assert [(file.path, file.status, file.hunks[0].old_count) for file in files] == [(name, status, 1)]


def test_a_rename_between_real_directories_keeps_them() -> None:
    patch = b"diff --git a/a/f b/b/f\nsimilarity index 100%\nrename from a/f\nrename to b/f\n"
    file = parse_patch(patch).files[0]
    assert (file.old_path, file.path, file.status, file.similarity) == (b"a/f", b"b/f", Status.RENAMED, 100)


def test_an_lfs_pointer_is_known() -> None:
    body = b"+version https://git-lfs.github.com/spec/v1\n+oid sha256:0\n+size 1\n"
    patch = b"diff --git a/m b/m\nnew file mode 100644\n--- /dev/null\n+++ b/m\n@@ -0,0 +1,3 @@\n" + body
    assert parse_patch(patch).files[0].kind is FileKind.LFS_POINTER


_BINARY = (
    b"diff --git a/b.bin b/b.bin\nindex 11..22 100644\nGIT binary patch\n"
    b"literal 4\nLcmZQz\n\nliteral 0\nHcmV?d00001\n\n"
)
_RENAME = (
    b"diff --git a/x b/y\nsimilarity index 90%\nrename from x\nrename to y\nindex 1111..2222\n"
    b"--- a/x\n+++ b/y\n@@ -1 +1 @@\n-1\n+2\n"
)
_WORDS = (
    b"\n",
    b"@@ -1 +1 @@\n",
    b"--- ",
    b"+++ ",
    b"diff --git ",
    b"GIT binary patch\n",
    b"\\ ",
    b'"',
    b"\xff\0",
    b"",
)


@pytest.mark.case("review R1.7")
@pytest.mark.parametrize("seed", range(10))
def test_no_mutation_raises_or_hangs(seed: int) -> None:
    rng = random.Random(seed)
    for _ in range(1_000):
        data = rng.choice((ONE + TWO, ONE + _BINARY, _RENAME + TWO)) * 2
        for _ in range(rng.randint(1, 4)):
            at = rng.randrange(len(data))
            data = (data[:at] + rng.choice(_WORDS) + data[at + rng.randint(0, 40) :]) or b"x"
        started = time.monotonic()
        for file in parse_patch(data).files:
            whole = all(len(hunk.lines) >= max(hunk.old_count, hunk.new_count) for hunk in file.hunks)
            assert file.failure is not None or whole
        assert time.monotonic() - started < 1


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=400))
def test_no_bytes_raise(data: bytes) -> None:
    parse_patch(data)
    parse_patch(ONE + data)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=400))
def test_gits_machine_output_is_read_or_refused(data: bytes) -> None:
    try:
        parse_raw(data)
    except RawUnreadableError:
        return


def test_a_count_that_differs_from_gits_is_a_failure() -> None:
    raw = b":100644 100644 1111111 2222222 M\0a.py\0\x002\t1\ta.py\0"
    file = assemble(parse_raw(raw), parse_patch(ONE)).files[0]
    assert file.failure is not None


@pytest.mark.case("review R1.2")
def test_every_commit_of_our_own_history_is_read_as_git_counts_it() -> None:
    root = Path(__file__).resolve().parents[2]
    if not (root / ".git").exists():
        pytest.skip("not a checkout")
    repo = Repo.__new__(Repo)
    repo.root = root
    if repo.git("rev-parse", "--is-shallow-repository").strip() == b"true":
        pytest.skip("a shallow checkout has no history")
    for commit in repo.git("rev-list", "--first-parent", "--max-count=60", "HEAD").decode().split():
        parents = repo.git("rev-list", "--parents", "-n", "1", commit).decode().split()[1:]
        base = parents[0] if parents else "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
        entries = parse_raw(repo.raw(base, commit))
        pasted = parse_patch(repo.git("diff", *OPTIONS, "-p", base, commit))
        assert [(file.path, file.status) for file in pasted.files] == [(entry.path, entry.status) for entry in entries]
        assert all(file.failure is None for file in assemble(entries, pasted).files)
