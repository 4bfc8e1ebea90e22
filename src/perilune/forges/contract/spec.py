"""A forge as data: its hosts, addresses, limits, and what it can show."""

import re
from typing import Literal

from msgspec import Struct

SuggestionStyle = Literal["plain", "offsets", "none"]


class ForgeSpec(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One kind of forge, from its `forge.toml`.

    Shape: `official_api` is the API of `official`, `api_path` what follows the address of one's own installation;
    `pull_path` is a pattern with the groups `repository` and `number`; `suggestion` is how a replacement that can be
    taken over is written, `none` where there is no such thing.
    Units: `body_limit` characters, `write_gap_s` seconds between two writes.
    """

    id: str
    label: str
    official: str
    official_api: str
    api_path: str
    graphql_path: str = ""
    official_graphql: str = ""
    pull_path: str
    head_ref: str
    git_user: str
    token_variables: tuple[str, ...]
    token_scope: str
    hook_path: str
    body_limit: int
    write_gap_s: float
    suggestion: SuggestionStyle
    has_ranges: bool
    has_file_comments: bool
    rejects_whole_review: bool

    def pull_of(self, path: str) -> tuple[str, int] | None:
        """Repository and number of a pull request's address below the forge's own."""
        found = re.fullmatch(self.pull_path, path)
        return (found["repository"], int(found["number"])) if found is not None else None


class ForgeSite(Struct, frozen=True, kw_only=True):
    """One installation of a forge. `base_url` is the address that people open, without a slash at its end."""

    spec: ForgeSpec
    base_url: str

    @property
    def is_official(self) -> bool:
        return self.base_url == self.spec.official

    @property
    def api(self) -> str:
        return self.spec.official_api if self.is_official else self.base_url + self.spec.api_path

    @property
    def graphql(self) -> str:
        return self.spec.official_graphql if self.is_official else self.base_url + self.spec.graphql_path

    def git_url(self, repository: str) -> str:
        """Where git fetches a repository from."""
        return f"{self.base_url}/{repository}.git"

    def pull_of(self, url: str) -> tuple[str, int] | None:
        """Repository and number of a pull request's address, None where it is none of this installation."""
        plain = url.strip().partition("#")[0].partition("?")[0]
        if not plain.lower().startswith(f"{self.base_url.lower()}/"):
            return None
        return self.spec.pull_of(plain[len(self.base_url) :].rstrip("/"))
