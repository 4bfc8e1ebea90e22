"""The 31 shapes of change, each as a generated repository."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

OPTIONS = (
    "--no-ext-diff",
    "--no-textconv",
    "--no-color",
    "--full-index",
    "-M",
    "-C",
    "--find-copies-harder",
    "--src-prefix=a/",
    "--dst-prefix=b/",
    "--unified=3",
)
BODY = "".join(f"line {number}\n" for number in range(1, 31))


class Repo:
    """A git repository of a test."""

    def __init__(self, root: Path) -> None:
        self.root = root
        root.mkdir(parents=True, exist_ok=True)
        self.git("init", "-q", "-b", "main")

    def git(self, *arguments: str, stdin: bytes | None = None) -> bytes:
        environment = {
            **os.environ,
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_AUTHOR_NAME": "Ada",
            "GIT_AUTHOR_EMAIL": "ada@example.org",
            "GIT_COMMITTER_NAME": "Ada",
            "GIT_COMMITTER_EMAIL": "ada@example.org",
            "GIT_AUTHOR_DATE": "2026-11-20T10:00:00Z",
            "GIT_COMMITTER_DATE": "2026-11-20T10:00:00Z",
        }
        command = ["git", "-c", "protocol.file.allow=always", *arguments]
        done = subprocess.run(command, cwd=self.root, env=environment, input=stdin, capture_output=True, check=False)
        assert done.returncode == 0, (arguments, done.stderr)
        return done.stdout

    def write(self, name: str | bytes, content: str | bytes) -> None:
        path = self.root / os.fsdecode(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)

    def commit(self, message: str = "change") -> str:
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", message)
        return self.git("rev-parse", "HEAD").decode().strip()

    def raw(self, base: str, head: str) -> bytes:
        return self.git("-c", "diff.renameLimit=5000", "diff", *OPTIONS, "--raw", "-z", "--numstat", base, head)

    def patch(self, base: str, head: str, *options: str, quote_path: str = "false") -> bytes:
        settings = ("-c", f"core.quotePath={quote_path}", "-c", "diff.renameLimit=5000")
        return self.git(*settings, "diff", *OPTIONS, *options, "-p", base, head)


def _swap(repo: Repo, name: str, old: str | bytes, new: str | bytes) -> tuple[str, str]:
    repo.write(name, old)
    base = repo.commit("base")
    repo.write(name, new)
    return base, repo.commit("head")


def _added(repo: Repo, name: str | bytes, content: str | bytes) -> tuple[str, str]:
    repo.write("other.txt", "x\n")
    base = repo.commit("base")
    repo.write(name, content)
    return base, repo.commit("head")


def _edited(content: str = BODY) -> str:
    return content.replace("line 15\n", "line fifteen\n")


def modify(repo: Repo) -> tuple[str, str]:
    return _swap(repo, "f.txt", BODY, _edited().replace("line 2\n", "line two\n"))


def add(repo: Repo) -> tuple[str, str]:
    return _added(repo, "new.txt", BODY)


def delete(repo: Repo) -> tuple[str, str]:
    repo.write("f.txt", BODY)
    repo.write("keep.txt", "x\n")
    base = repo.commit()
    repo.git("rm", "-q", "f.txt")
    return base, repo.commit()


def pure_rename(repo: Repo) -> tuple[str, str]:
    repo.write("f.txt", BODY)
    base = repo.commit()
    repo.git("mv", "f.txt", "g.txt")
    return base, repo.commit()


def rename_with_edit(repo: Repo) -> tuple[str, str]:
    repo.write("f.txt", BODY)
    base = repo.commit()
    repo.git("mv", "f.txt", "g.txt")
    repo.write("g.txt", _edited())
    return base, repo.commit()


def copy(repo: Repo) -> tuple[str, str]:
    repo.write("f.txt", BODY)
    base = repo.commit()
    repo.write("copy.txt", _edited())
    return base, repo.commit()


def mode_only(repo: Repo) -> tuple[str, str]:
    repo.write("f.sh", BODY)
    base = repo.commit()
    (repo.root / "f.sh").chmod(0o755)
    return base, repo.commit()


def mode_and_edit(repo: Repo) -> tuple[str, str]:
    repo.write("f.sh", BODY)
    base = repo.commit()
    repo.write("f.sh", _edited())
    (repo.root / "f.sh").chmod(0o755)
    return base, repo.commit()


def symlink_added(repo: Repo) -> tuple[str, str]:
    repo.write("f.txt", BODY)
    base = repo.commit()
    (repo.root / "link").symlink_to("f.txt")
    return base, repo.commit()


def symlink_retargeted(repo: Repo) -> tuple[str, str]:
    (repo.root / "link").symlink_to("one")
    base = repo.commit()
    (repo.root / "link").unlink()
    (repo.root / "link").symlink_to("two")
    return base, repo.commit()


def file_to_symlink(repo: Repo) -> tuple[str, str]:
    repo.write("f", BODY)
    repo.write("z.txt", BODY)
    base = repo.commit()
    (repo.root / "f").unlink()
    (repo.root / "f").symlink_to("elsewhere")
    repo.write("z.txt", _edited())
    return base, repo.commit()


def binary(repo: Repo) -> tuple[str, str]:
    return _swap(repo, "f.bin", bytes(range(256)), bytes(range(255, -1, -1)))


def submodule(repo: Repo) -> tuple[str, str]:
    inner = Repo(repo.root / "inner-source")
    inner.write("a.txt", "one\n")
    first = inner.commit()
    inner.write("a.txt", "two\n")
    second = inner.commit()
    repo.write(".gitignore", "inner-source\n")
    repo.git("update-index", "--add", "--cacheinfo", f"160000,{first},sub")
    repo.git("add", ".gitignore")
    repo.git("commit", "-q", "-m", "base")
    base = repo.git("rev-parse", "HEAD").decode().strip()
    repo.git("update-index", "--cacheinfo", f"160000,{second},sub")
    repo.git("commit", "-q", "-m", "head")
    return base, repo.git("rev-parse", "HEAD").decode().strip()


def no_newline_old(repo: Repo) -> tuple[str, str]:
    return _swap(repo, "f.txt", "one\ntwo", "one\ntwo\n")


def no_newline_new(repo: Repo) -> tuple[str, str]:
    return _swap(repo, "f.txt", "one\ntwo\n", "one\ntwo")


def no_newline_both(repo: Repo) -> tuple[str, str]:
    return _swap(repo, "f.txt", "one\ntwo", "one\nthree")


def crlf(repo: Repo) -> tuple[str, str]:
    return _swap(repo, "f.txt", BODY.replace("\n", "\r\n"), _edited().replace("\n", "\r\n"))


def mixed_endings(repo: Repo) -> tuple[str, str]:
    return _swap(repo, "f.txt", BODY, _edited().replace("line 14\n", "line 14\r\n"))


def lone_cr(repo: Repo) -> tuple[str, str]:
    return _swap(repo, "f.txt", BODY, BODY.replace("line 15\n", "li\rne 15\n"))


def form_feed(repo: Repo) -> tuple[str, str]:
    return _swap(repo, "f.txt", BODY, BODY.replace("line 15\n", "\fline\v15\n"))


def line_separators(repo: Repo) -> tuple[str, str]:
    return _swap(repo, "f.txt", BODY, BODY.replace("line 15\n", "line\u2028fif\u0085teen\n"))


def latin1(repo: Repo) -> tuple[str, str]:
    return _swap(repo, "f.txt", "caf\u00e9\n".encode("latin-1"), "th\u00e9\n".encode("latin-1"))


def byte_order_mark(repo: Repo) -> tuple[str, str]:
    return _swap(repo, "f.txt", BODY, "\ufeff" + BODY)


def dashes_in_content(repo: Repo) -> tuple[str, str]:
    return _swap(repo, "f.sql", "-- x\nkeep\n++ y\n-- a/f\n", "-- z\nkeep\n++ x\n++ b/f\n")


def diff_in_content(repo: Repo) -> tuple[str, str]:
    inside = "diff --git a/x b/x\nindex 1111111..2222222 100644\n--- a/x\n+++ b/x\n@@ -1 +1 @@\n-old\n+new\n"
    return _swap(repo, "f.patch", "start\n" + inside, "start\n" + inside.replace("+new", "+newer") + inside)


def name_with_spaces(repo: Repo) -> tuple[str, str]:
    return _swap(repo, "a name b/with  spaces.txt", BODY, _edited())


def name_with_quotes(repo: Repo) -> tuple[str, str]:
    return _swap(repo, 'qu"ote\\ f\u00fcr.txt', BODY, _edited())


def name_with_tab(repo: Repo) -> tuple[str, str]:
    return _swap(repo, "tab\there\nline.txt", BODY, _edited())


def real_directory_a(repo: Repo) -> tuple[str, str]:
    repo.write("a/x.txt", BODY)
    repo.write("b/gone.txt", BODY.replace("line", "row"))
    base = repo.commit()
    repo.write("a/x.txt", _edited())
    repo.write("a/fresh.txt", "1\n")
    (repo.root / "b/gone.txt").unlink()
    return base, repo.commit()


def empty_file(repo: Repo) -> tuple[str, str]:
    repo.write("old-empty.txt", "")
    repo.write("keep.txt", "x\n")
    base = repo.commit()
    repo.git("rm", "-q", "old-empty.txt")
    repo.write("sub/new-empty.bin", "")
    return base, repo.commit()


SHAPES: dict[int, Callable[[Repo], tuple[str, str]]] = {
    1: modify,
    2: add,
    3: delete,
    4: pure_rename,
    5: rename_with_edit,
    6: copy,
    7: mode_only,
    8: mode_and_edit,
    9: symlink_added,
    10: symlink_retargeted,
    11: file_to_symlink,
    12: binary,
    13: binary,
    14: submodule,
    15: no_newline_old,
    16: no_newline_new,
    17: no_newline_both,
    18: crlf,
    19: mixed_endings,
    20: lone_cr,
    21: form_feed,
    22: line_separators,
    23: latin1,
    24: byte_order_mark,
    25: dashes_in_content,
    26: diff_in_content,
    27: name_with_spaces,
    28: name_with_quotes,
    29: name_with_tab,
    30: real_directory_a,
    31: empty_file,
}
