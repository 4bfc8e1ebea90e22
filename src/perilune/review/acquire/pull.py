"""A pull request's commits in a bare cache: no checkout, no hook, no filter, the credential only in the environment."""

import os
import shutil
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from urllib.parse import urlsplit

from msgspec import Struct

from perilune.core.addresses import is_loopback
from perilune.review.acquire.git import Git, GitFailedError, hardened

_PROXIES = ("HTTPS_PROXY", "https_proxy", "NO_PROXY", "no_proxy", "ALL_PROXY", "SSL_CERT_FILE")


class PullSource(Struct, frozen=True, kw_only=True):
    """A pull request as its reading named it. `merge_base` is the forge's own, for clones that lack the commit.

    Shape: `settings` are git's, among them the one that carries the credential; they never reach an argument.
    """

    forge: str
    url: str
    git_url: str
    repository: str
    number: int
    base_ref: str
    base_sha: str
    head_ref: str
    head_sha: str
    merge_base: str | None = None
    title: str = ""
    text: str = ""
    settings: tuple[tuple[str, str], ...] = ()


def fetch(source: PullSource, caches: Path) -> str:
    """The bare cache that holds both ends, brought up to date. Raises: GitFailedError."""
    directory = caches / sha256(source.git_url.encode()).hexdigest()[:24]
    git = _git(source, directory)
    _lay_out(directory)
    number = source.number
    refs = (
        f"+refs/heads/{source.base_ref}:refs/perilune/{number}/base",
        f"+{source.head_ref}:refs/perilune/{number}/head",
    )
    _fetch(git, source.git_url, refs)
    missing = [commit for commit in (source.base_sha, source.head_sha) if commit and not _has(git, commit)]
    if missing:
        # The head moved between reading and fetching, or the branch was rewritten: what was read is what is reviewed.
        _fetch(git, source.git_url, missing)
    return str(directory)


def _fetch(git: Git, url: str, refs: Sequence[str]) -> None:
    options = ("--quiet", "--no-tags", "--no-recurse-submodules", "--no-write-fetch-head", "--no-auto-maintenance")
    git.run("fetch", *options, "--end-of-options", url, *refs)


def _has(git: Git, commit: str) -> bool:
    try:
        git.run("cat-file", "-e", f"{commit}^{{commit}}")
    except GitFailedError:
        return False
    return True


def _git(source: PullSource, directory: Path) -> Git:
    """Git that may speak https; plain http only to this computer."""
    parts = urlsplit(source.git_url)
    is_local = parts.scheme == "http" and is_loopback(parts.hostname or "")
    proxies = {name: os.environ[name] for name in _PROXIES if name in os.environ}
    settings = (*source.settings, ("http.followRedirects", "false"), ("credential.helper", ""), ("gc.auto", "0"))
    return hardened(
        str(directory),
        safe=str(directory),
        settings=settings,
        GIT_DIR=str(directory),
        GIT_ALLOW_PROTOCOL="http:https" if is_local else "https",
        **proxies,
    )


def _lay_out(directory: Path) -> None:
    """An empty bare repository, where there is none yet."""
    if (directory / "HEAD").is_file():
        return
    shutil.rmtree(directory, ignore_errors=True)
    for name in ("objects/info", "objects/pack", "refs"):
        (directory / name).mkdir(parents=True)
    directory.chmod(0o700)
    (directory / "config").write_text("[core]\n\trepositoryformatversion = 0\n\tbare = true\n")
    (directory / "HEAD").write_text("ref: refs/heads/none\n")
