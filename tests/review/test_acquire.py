"""Diffs of every local input, and nothing of the repository touched or run."""

import hashlib
from pathlib import Path

import pytest
from tests.patches.shapes import BODY, Repo

from perilune.core.errors import ReviewError
from perilune.review.acquire.inputs import Acquired, InputKind, ReviewInput, acquire


def take(
    repo: Repo, kind: InputKind = InputKind.WORKTREE, name: str = "", directory: Path | None = None, **more
) -> Acquired:
    return acquire(ReviewInput(kind=kind, directory=str(directory or repo.root), name=name, **more))


def names(acquired: Acquired) -> list[str]:
    found = [file.name for file in acquired.diff.files]
    acquired.close()
    return found


def state_of(root: Path) -> str:
    """A digest of every file under a folder, the repository's own included."""
    digest = hashlib.sha256()
    for path in sorted(root.rglob("*")):
        if path.is_file() and not path.is_symlink():
            digest.update(str(path.relative_to(root)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


@pytest.fixture
def dirty(repo: Repo) -> Repo:
    """One commit, a staged change, an unstaged one, an untracked and an ignored file."""
    repo.write(".gitignore", "*.log\n")
    repo.write("staged.txt", BODY)
    repo.write("unstaged.txt", BODY)
    repo.write("both.txt", BODY)
    repo.commit()
    repo.write("staged.txt", BODY + "more\n")
    repo.write("both.txt", BODY + "staged\n")
    repo.git("add", "staged.txt", "both.txt")
    repo.write("both.txt", BODY + "staged\nunstaged\n")
    repo.write("unstaged.txt", BODY + "more\n")
    repo.write("new.txt", "fresh\n")
    repo.write("noise.log", "x\n")
    return repo


@pytest.mark.case("review R20.1")
def test_the_working_tree_is_read_with_what_is_untracked_and_stays_as_it_is(dirty: Repo) -> None:
    before = state_of(dirty.root)
    acquired = take(dirty)
    assert [file.name for file in acquired.diff.files] == ["both.txt", "new.txt", "staged.txt", "unstaged.txt"]
    new = next(file for file in acquired.diff.files if file.name == "new.txt")
    assert new.new_oid is not None
    assert acquired.objects.read(new.new_oid) == b"fresh\n"
    scratch = Path(acquired.scratch.directory) if acquired.scratch else None
    acquired.close()
    assert state_of(dirty.root) == before
    assert scratch is not None
    assert not scratch.exists()


@pytest.mark.case("review R20.1")
def test_staged_contents_come_from_the_index(dirty: Repo) -> None:
    before = state_of(dirty.root)
    acquired = take(dirty, InputKind.STAGED)
    both = next(file for file in acquired.diff.files if file.name == "both.txt")
    assert [file.name for file in acquired.diff.files] == ["both.txt", "staged.txt"]
    assert both.added == 1
    assert (acquired.objects.read(both.new_oid or "") or b"").endswith(b"staged\n")
    acquired.close()
    assert state_of(dirty.root) == before


@pytest.mark.case("review R20.1")
def test_a_range_is_compared_from_where_both_ends_parted(repo: Repo) -> None:
    repo.write("a.txt", "1\n")
    fork = repo.commit()
    repo.git("checkout", "-q", "-b", "topic")
    repo.write("topic.txt", "1\n")
    head = repo.commit("the topic")
    repo.git("checkout", "-q", "main")
    repo.write("main.txt", "1\n")
    repo.commit()
    for name in ("main..topic", "main...topic"):
        acquired = take(repo, InputKind.RANGE, name)
        assert (acquired.merge_base, acquired.head, acquired.config_ref) == (fork, head, fork)
        assert acquired.subjects == ("the topic",)
        assert names(acquired) == ["topic.txt"]


@pytest.mark.case("review R20.1")
def test_a_root_commit_is_against_nothing_and_a_merge_against_its_first_parent(repo: Repo) -> None:
    repo.write("a.txt", "1\n")
    root = repo.commit()
    assert names(take(repo, InputKind.COMMIT, root)) == ["a.txt"]
    repo.git("checkout", "-q", "-b", "topic")
    repo.write("topic.txt", "1\n")
    repo.commit()
    repo.git("checkout", "-q", "main")
    repo.write("main.txt", "1\n")
    repo.commit()
    repo.git("merge", "-q", "--no-edit", "topic")
    assert names(take(repo, InputKind.COMMIT, "HEAD")) == ["topic.txt"]


@pytest.mark.case("review R20.1")
def test_a_first_change_before_any_commit_is_read(repo: Repo) -> None:
    repo.write("a.txt", "1\n")
    assert names(take(repo)) == ["a.txt"]


@pytest.mark.case("review R20.1")
def test_linked_worktrees_bare_and_shallow_clones_work(repo: Repo, tmp_path: Path) -> None:
    repo.write("a.txt", "1\n")
    repo.commit()
    repo.write("a.txt", "2\n")
    repo.commit()
    repo.git("worktree", "add", "-q", str(tmp_path / "linked"))
    (tmp_path / "linked" / "fresh.txt").write_text("x\n")
    assert names(take(repo, directory=tmp_path / "linked")) == ["fresh.txt"]
    repo.git("clone", "-q", "--bare", str(repo.root), str(tmp_path / "bare.git"))
    assert names(take(repo, InputKind.RANGE, "HEAD~1..HEAD", tmp_path / "bare.git")) == ["a.txt"]
    with pytest.raises(ReviewError) as caught:
        take(repo, directory=tmp_path / "bare.git")
    assert caught.value.problem.variant == "bare"
    repo.git("clone", "-q", "--depth", "1", f"file://{repo.root}", str(tmp_path / "shallow"))
    (tmp_path / "shallow" / "a.txt").write_text("3\n")
    assert names(take(repo, directory=tmp_path / "shallow")) == ["a.txt"]


@pytest.mark.case("review R1.9")
@pytest.mark.case("review R20.1")
def test_an_uninitialised_submodule_is_one_item_and_nothing_is_missing(repo: Repo, tmp_path: Path) -> None:
    inner = Repo(tmp_path / "inner")
    inner.write("a.txt", "1\n")
    first = inner.commit()
    inner.write("a.txt", "2\n")
    second = inner.commit()
    repo.git("submodule", "add", "-q", str(inner.root), "sub")
    repo.git("-C", "sub", "checkout", "-q", first)
    base = repo.commit()
    repo.git("-C", "sub", "checkout", "-q", second)
    head = repo.commit()
    (repo.root / "sub" / "a.txt").write_text("dirty inside\n")
    repo.git("clone", "-q", str(repo.root), str(tmp_path / "plain"))
    acquired = take(repo, InputKind.RANGE, f"{base}..{head}", tmp_path / "plain")
    assert [(file.name, file.kind) for file in acquired.diff.files] == [("sub", "submodule")]
    acquired.close()
    assert names(take(repo, directory=tmp_path / "plain")) == []


@pytest.mark.case("review R20.1")
def test_a_patch_is_read_outside_of_any_repository(tmp_path: Path) -> None:
    patch = b"--- a/x.py\n+++ b/x.py\n@@ -1 +1 @@\n-1\n+2\n"
    source = ReviewInput(kind=InputKind.DIFF, directory=str(tmp_path), patch=patch)
    assert names(acquire(source)) == ["x.py"]


def test_what_is_not_a_range_a_commit_or_a_repository_is_said(repo: Repo, tmp_path: Path) -> None:
    repo.write("a.txt", "1\n")
    repo.commit()
    cases = [
        (InputKind.RANGE, "main..nowhere", repo.root, "range"),
        (InputKind.RANGE, "main", repo.root, "range"),
        (InputKind.COMMIT, "nowhere", repo.root, "commit"),
        (InputKind.WORKTREE, "", tmp_path, "repository"),
    ]
    for kind, name, directory, variant in cases:
        with pytest.raises(ReviewError) as caught:
            take(repo, kind, name, directory)
        assert (caught.value.problem.code, caught.value.problem.variant) == ("PL-REVIEW-DIFF", variant)


def test_ends_without_a_common_commit_are_said(repo: Repo) -> None:
    repo.write("a.txt", "1\n")
    repo.commit()
    repo.git("checkout", "-q", "--orphan", "other")
    repo.commit("without a parent")
    with pytest.raises(ReviewError) as caught:
        take(repo, InputKind.RANGE, "main..other")
    assert caught.value.problem.variant == "merge_base"


@pytest.mark.case("review R1.8")
def test_a_combined_diff_is_refused_with_its_reason(tmp_path: Path) -> None:
    patch = b"diff --cc a.txt\nindex 1,2..3\n--- a/a.txt\n+++ b/a.txt\n@@@ -1,1 -1,1 +1,1 @@@\n--1\n++2\n"
    with pytest.raises(ReviewError) as caught:
        acquire(ReviewInput(kind=InputKind.DIFF, directory=str(tmp_path), patch=patch))
    assert caught.value.problem.variant == "combined"


@pytest.mark.case("review R20.2")
def test_nothing_that_the_repository_configures_is_run(repo: Repo, tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    script = tmp_path / "tool"
    script.write_text(f"#!/bin/sh\necho ran >> {mark}\ncat\n")
    script.chmod(0o755)
    repo.write("a.txt", BODY)
    repo.write(".gitattributes", "*.txt diff=evil filter=evil\n")
    repo.commit()
    for key in (
        "filter.evil.clean",
        "filter.evil.smudge",
        "filter.evil.process",
        "diff.evil.textconv",
        "diff.evil.command",
    ):
        repo.git("config", key, str(script))
    for key in ("diff.external", "core.fsmonitor", "core.pager", "core.sshCommand", "core.editor"):
        repo.git("config", key, str(script))
    repo.git("config", "filter.evil.required", "true")
    hooks = repo.root / ".git" / "hooks"
    for hook in ("pre-commit", "post-index-change", "post-checkout", "reference-transaction", "fsmonitor-watchman"):
        (hooks / hook).write_text(script.read_text())
        (hooks / hook).chmod(0o755)
    repo.write("a.txt", BODY + "more\n")
    repo.write("new.txt", "1\n")
    assert names(take(repo)) == ["a.txt", "new.txt"]
    assert names(take(repo, InputKind.STAGED)) == []
    assert names(take(repo, InputKind.COMMIT, "HEAD")) == [".gitattributes", "a.txt"]
    assert not mark.exists()


def test_attributes_of_the_head_do_not_hide_a_file(repo: Repo) -> None:
    repo.write("a.py", "x = 1\n")
    repo.commit()
    repo.write(".gitattributes", "*.py -diff binary\n")
    repo.write("a.py", "x = 2\n")
    acquired = take(repo)
    changed = next(file for file in acquired.diff.files if file.name == "a.py")
    acquired.close()
    assert (changed.kind, changed.added, changed.removed) == ("text", 1, 1)


def test_settings_that_shape_a_diff_do_not_change_it(repo: Repo) -> None:
    repo.write("sub/a.py", BODY)
    repo.commit()
    for key, value in (
        ("diff.noprefix", "true"),
        ("diff.mnemonicPrefix", "true"),
        ("diff.relative", "true"),
        ("diff.context", "0"),
    ):
        repo.git("config", key, value)
    repo.write("sub/a.py", BODY.replace("line 15\n", "line fifteen\n"))
    acquired = take(repo, directory=repo.root / "sub")
    hunk = acquired.diff.files[0].hunks[0]
    acquired.close()
    assert (acquired.diff.files[0].name, len(hunk.lines)) == ("sub/a.py", 8)


@pytest.mark.case("review R20.3")
def test_paths_restrict_and_are_never_options(repo: Repo) -> None:
    repo.write("keep.txt", "x\n")
    repo.commit()
    for name in ("src/a.py", "src/deep/b.py", "-q", "*.md", "docs/x.md"):
        repo.write(name, "1\n")
    assert names(take(repo, paths=("src",))) == ["src/a.py", "src/deep/b.py"]
    assert names(take(repo, paths=("-q",))) == ["-q"]
    assert names(take(repo, paths=("*.md",))) == ["*.md"]
    assert names(take(repo, directory=repo.root / "src" / "deep", paths=("b.py", "../a.py"))) == [
        "src/a.py",
        "src/deep/b.py",
    ]
    assert names(take(repo, paths=(str(repo.root / "docs"),))) == ["docs/x.md"]
    with pytest.raises(ReviewError):
        take(repo, paths=("../elsewhere",))


def test_an_unmerged_file_is_read_with_its_marks(repo: Repo) -> None:
    repo.write("a.txt", "base\n")
    repo.commit()
    repo.git("checkout", "-q", "-b", "topic")
    repo.write("a.txt", "topic\n")
    repo.commit()
    repo.git("checkout", "-q", "main")
    repo.write("a.txt", "main\n")
    repo.commit()
    with pytest.raises(AssertionError):
        repo.git("merge", "-q", "topic")
    acquired = take(repo)
    text = b"\n".join(line.data for hunk in acquired.diff.files[0].hunks for line in hunk.lines)
    acquired.close()
    assert b"<<<<<<<" in text


def test_a_nested_repository_without_a_commit_does_not_hide_the_rest(repo: Repo) -> None:
    repo.write("keep.txt", "x\n")
    repo.commit()
    Repo(repo.root / "nested")
    repo.write("nested/inside.txt", "1\n")
    repo.write("zz.txt", "1\n")
    acquired = take(repo)
    found = {file.name: file.failure and file.failure.reason for file in acquired.diff.files}
    acquired.close()
    assert found == {"zz.txt": None, "nested": "unreadable"}


def test_the_forges_token_and_our_keys_are_not_in_the_environment_of_git(
    repo: Repo, monkeypatch: pytest.MonkeyPatch
) -> None:
    from perilune.review.acquire.git import hardened

    monkeypatch.setenv("MOONSHOT_API_KEY", "sk-EXAMPLE")
    monkeypatch.setenv("GIT_DIR", "/nowhere")
    monkeypatch.setenv("GITHUB_TOKEN", "ghp_EXAMPLE")
    environment = hardened(str(repo.root)).environment
    assert not {"MOONSHOT_API_KEY", "GIT_DIR", "GITHUB_TOKEN"} & set(environment)


def test_a_zero_byte_far_into_a_text_does_not_end_the_reading(repo: Repo) -> None:
    repo.write("late.txt", "line\n" * 2_000)
    repo.write("other.txt", BODY)
    repo.commit()
    repo.write("late.txt", "line\n" * 2_000 + "x\0y\n")
    repo.write("other.txt", BODY + "more\n")
    acquired = take(repo)
    assert [(file.name, file.added) for file in acquired.diff.files] == [("late.txt", 1), ("other.txt", 1)]
    acquired.close()
