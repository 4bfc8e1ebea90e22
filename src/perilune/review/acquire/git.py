"""Git as a subprocess: argument vectors, a cleaned environment, nothing of the repository's configuration runs."""

import os
import subprocess
from collections.abc import Mapping, Sequence

from msgspec import Struct

_KEPT = ("PATH", "HOME", "XDG_CONFIG_HOME", "SYSTEMROOT", "TEMP", "TMP", "TMPDIR")
_HARD_SETTINGS = (
    ("core.hooksPath", os.devnull),
    ("core.attributesFile", os.devnull),
    ("core.fsmonitor", "false"),
    ("core.untrackedCache", "false"),
    ("core.splitIndex", "false"),
    ("core.quotePath", "false"),
    ("diff.renameLimit", "5000"),
    ("diff.orderFile", os.devnull),
    ("diff.suppressBlankEmpty", "false"),
    ("advice.addEmbeddedRepo", "false"),
    ("protocol.allow", "never"),
)
TIMEOUT_S = 120


class GitFailedError(Exception):
    """A git call that ended with an error; holds its first words."""


class GitMissingError(Exception):
    """There is no git program."""


class Git(Struct, frozen=True):
    """Git in one directory with one environment. Output is bytes."""

    directory: str
    environment: Mapping[str, str]

    def run(self, *arguments: str, stdin: bytes | None = None, accept: Sequence[int] = (0,)) -> bytes:
        """The output of a git call.

        Raises: GitFailedError, GitMissingError.
        """
        done = self._completed(arguments, stdin)
        if done.returncode not in accept:
            raise GitFailedError(done.stderr.decode(errors="replace").strip()[:400])
        return done.stdout

    def _completed(self, arguments: Sequence[str], stdin: bytes | None) -> subprocess.CompletedProcess[bytes]:
        try:
            return subprocess.run(
                ["git", "--no-pager", *arguments],
                cwd=self.directory,
                env=dict(self.environment),
                input=stdin if stdin is not None else b"",
                capture_output=True,
                check=False,
                timeout=TIMEOUT_S,
            )
        except FileNotFoundError as error:
            raise GitMissingError from error
        except subprocess.TimeoutExpired as error:
            raise GitFailedError(f"git {arguments[0]} took longer than {TIMEOUT_S} s") from error

    def opened(self, *arguments: str) -> subprocess.Popen[bytes]:
        """A git process that is spoken to over its pipes."""
        return subprocess.Popen(
            ["git", "--no-pager", *arguments],
            cwd=self.directory,
            env=dict(self.environment),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )


def hardened(directory: str, *, safe: str = "*", settings: Sequence[tuple[str, str]] = (), **variables: str) -> Git:
    """Git that reads no system or user configuration, runs no hook, filter, monitor or pager, and asks nothing."""
    pairs = (*_HARD_SETTINGS, ("safe.directory", safe), *settings)
    numbered: dict[str, str] = {"GIT_CONFIG_COUNT": str(len(pairs))}
    for index, (key, value) in enumerate(pairs):
        numbered[f"GIT_CONFIG_KEY_{index}"] = key
        numbered[f"GIT_CONFIG_VALUE_{index}"] = value
    fixed = {
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_ATTR_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ALLOW_PROTOCOL": "https:ssh",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_NO_REPLACE_OBJECTS": "1",
        "GIT_LITERAL_PATHSPECS": "1",
        "LC_ALL": "C",
    }
    return Git(directory, {**_kept(), **fixed, **numbered, **variables})


def reading_settings(directory: str) -> Git:
    """Git that reads the user's configuration too; only ever used for `git config`, which runs nothing."""
    variables = {
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "safe.directory",
        "GIT_CONFIG_VALUE_0": "*",
        "LC_ALL": "C",
    }
    return Git(directory, {**_kept(), **variables})


def _kept() -> dict[str, str]:
    return {name: os.environ[name] for name in _KEPT if name in os.environ}
