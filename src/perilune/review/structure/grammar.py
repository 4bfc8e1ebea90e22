"""Code parsed by its grammar. The parser is imported when the first file is parsed, never for a preview."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perilune.review.structure.languages import language_of

if TYPE_CHECKING:
    from ast_grep_py import SgNode

_LARGEST = 2 * 1024 * 1024
_LARGEST_WALK = 256 * 1024


def parsed(path: str, text: str) -> SgNode | None:
    """The root of a file's tree; None where no grammar knows it, it is very large, or the parser is not installed."""
    language = language_of(path)
    if language is None or len(text) > _LARGEST:
        return None
    try:
        from ast_grep_py import SgRoot
    except ImportError:  # no wheel for this platform: every caller has a way without it
        return None
    return SgRoot(text, language.name).root()


def fault_count(path: str, text: str) -> int | None:
    """How many nodes of a file are errors or stand for something missing; None where no grammar knows it."""
    root = parsed(path, text)
    if root is None:
        return None
    missing = _empty_nodes(root) if len(text) <= _LARGEST_WALK else 0
    return len(root.find_all(kind="ERROR")) + missing


def _empty_nodes(root: SgNode) -> int:
    """Nodes without a character: what the parser put in to go on."""
    count = 0
    waiting = root.children()
    while waiting:
        node = waiting.pop()
        span = node.range()
        if span.start.index == span.end.index:
            count += 1
        elif not node.is_leaf():
            waiting += node.children()
    return count
