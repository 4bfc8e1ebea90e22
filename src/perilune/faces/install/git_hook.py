"""Git hooks that review what is pushed or staged. A hook that is there already is kept beside ours and called first."""

import subprocess
from pathlib import Path

from perilune.faces.install import files
from perilune.faces.install.edits.block import Whole
from perilune.faces.install.hosts import Change

BEFORE = ".before-perilune"

_HEAD = """\
#!/bin/sh
# Written by `perilune install git-hook`. PERILUNE_SKIP_HOOK=1 skips it.
given=$({given})
if [ -x "$0{before}" ]; then
  printf '%s\\n' "$given" | "$0{before}" "$@" || exit $?
fi
if [ "$PERILUNE_SKIP_HOOK" = 1 ]; then
  exit 0
fi
review() {{
  perilune review "$@" --fail-on {fail_on} </dev/null
  code=$?
  case $code in
    0) return 0 ;;
    1 | 130) exit $code ;;
  esac
  echo "perilune: not reviewed (exit $code)" >&2
  {otherwise}
}}
"""
_COMMIT = "review --staged\n"
_PUSH = """\
none=0000000000000000000000000000000000000000
printf '%s\\n' "$given" | while read -r _ new _ old; do
  if [ -z "$new" ] || [ "$new" = "$none" ]; then
    continue
  fi
  if [ "$old" = "$none" ]; then
    first=$(git rev-list "$new" --not --remotes="$1" | tail -n 1)
    if [ -z "$first" ]; then
      continue
    fi
    old=$(git rev-parse --quiet --verify "$first^") || { review --commit "$new"; continue; }
  fi
  review --range "$old..$new"
done
"""


def hooks_folder(directory: Path) -> Path | None:
    """Where the repository around a directory keeps its hooks; None outside of any, or without git."""
    return _said(directory, "--git-path", "hooks")


def top_of(directory: Path) -> Path | None:
    """The top of the repository around a directory; None outside of any, or without git."""
    return _said(directory, "--show-toplevel")


def _said(directory: Path, *asked: str) -> Path | None:
    try:
        done = subprocess.run(["git", "rev-parse", *asked], cwd=directory, capture_output=True, text=True, check=False)
    except OSError:
        return None
    return directory / done.stdout.rstrip("\n") if done.returncode == 0 else None


def git_hook(folder: Path, name: str, fail_on: str, *, is_strict: bool) -> tuple[Change, ...]:
    """The hook, and the one that was there before as a file of its own. Raises: OSError, UnicodeDecodeError."""
    file = folder / name
    kept = file.with_name(file.name + BEFORE)
    script = _script(name, fail_on, is_strict=is_strict)
    before = files.read(file)
    ours = Change(name=f"git-hook-{name}", file=file, edit=Whole(script), mode=0o755, note="install.note.git_hook")
    if before is None or before.startswith(_mark()):
        text = files.read(kept)
    else:
        text = before
    if text is None:
        return (ours,)
    return (Change(name=f"git-hook-{name}-before", file=kept, edit=Whole(text), mode=0o755), ours)


def _mark() -> str:
    return "\n".join(_HEAD.split("\n")[:2])


def _script(name: str, fail_on: str, *, is_strict: bool) -> str:
    head = _HEAD.format(
        given="cat" if name == "pre-push" else "true",
        before=BEFORE,
        fail_on=fail_on,
        otherwise="exit $code" if is_strict else "return 0",
    )
    return head + (_PUSH if name == "pre-push" else _COMMIT)
