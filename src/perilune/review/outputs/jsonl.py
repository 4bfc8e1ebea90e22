"""One JSON object a line: start, estimate, findings, drops, errors, end."""

from collections.abc import Iterator
from typing import Any

from perilune.core.encode import encode_document
from perilune.core.messages import Voice
from perilune.review.outputs.document import review_document
from perilune.review.result import ReviewResult


def jsonl(result: ReviewResult, voice: Voice) -> str:
    """The lines of a result; `end` carries the counts."""
    return "".join(encode_document(row).decode() + "\n" for row in _rows(result, voice))


def _rows(result: ReviewResult, voice: Voice) -> Iterator[dict[str, Any]]:
    document = review_document(result, voice)
    started = ("schema", "generated_at", "run_id", "input", "config")
    yield {"type": "start", **{key: document[key] for key in started}}
    if document["plan"] is not None:
        yield {"type": "estimate", **document["plan"]}
    for item in document["coverage"]["items"]:
        yield {"type": "unit", **item}
    for finding in document["findings"]:
        yield {"type": "finding", **finding}
    for drop in document["dropped"]:
        yield {"type": "drop", **drop}
    for error in document["errors"]:
        yield {"type": "error", **error}
    counts = {key: value for key, value in document["coverage"].items() if key != "items"}
    yield {
        "type": "end",
        "status": document["status"],
        "retry_at": document["retry_at"],
        "coverage": counts,
        "usage": document["usage"],
        "findings": len(document["findings"]),
        "malformed": document["malformed"],
    }
