"""How strict, slow or changed a played forge is; a test turns these, a person the control surface."""

from msgspec import Struct


class Behaviour(Struct, kw_only=True):
    """Settings of one forge.

    Shape: `refused_lines` are `path:line` that the forge refuses although they are in the diff; `not_built_s` is how
    long GitLab has no diff after a push; `breaks_after` makes Gitea fail after that many comments of a review.
    Units: seconds, counts; `write_gap_s` is the least time between two writes, 0 for none.
    """

    page_cap: int = 100
    primary_limit: int = 5_000
    write_gap_s: float = 0
    secondary_wait_s: int | None = 60
    refused_lines: list[str] = []
    not_built_s: float = 0
    refuses_line_range: bool = False
    has_draft_notes: bool = True
    has_resolve: bool = True
    may_resolve: bool = True
    breaks_after: int | None = None
    serves_git: bool = True
    most_files: int = 3_000
    largest_patch: int = 60_000
