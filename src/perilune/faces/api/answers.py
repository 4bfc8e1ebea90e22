"""Answers of the API: documents of ours, never cached."""

from starlette.responses import Response

from perilune.core.encode import encode_document


def document(value: object, status: int = 200) -> Response:
    """A document of ours as an answer that is never cached."""
    return Response(encode_document(value), status, {"cache-control": "no-store"}, "application/json")
