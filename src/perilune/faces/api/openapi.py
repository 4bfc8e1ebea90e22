"""The API's own description, for generators and checkers."""

from typing import Any

import msgspec

from perilune.faces.api.ports import LedgerDocument, ReviewsDocument, RoutesDocument
from perilune.quota.document import StatusDocument
from perilune.quota.forecast import ForecastDocument
from perilune.quota.history import HistoryDocument

_DOCUMENTS: dict[str, tuple[str, type]] = {
    "/api/v1/status": ("Every account: windows, balance, verdict", StatusDocument),
    "/api/v1/routes": ("Routes and their slots now", RoutesDocument),
    "/api/v1/ledger": ("The newest requests", LedgerDocument),
    "/api/v1/reviews": ("The newest reviews", ReviewsDocument),
    "/api/v1/history": ("What was used, by day, hour, model, route, key or account", HistoryDocument),
    "/api/v1/forecast": ("When each window and balance runs out", ForecastDocument),
}


def openapi_document(version: str) -> dict[str, Any]:
    """An OpenAPI 3.1 description of the read-only API."""
    types = [kind for _, kind in _DOCUMENTS.values()]
    references, components = msgspec.json.schema_components(types, ref_template="#/components/schemas/{name}")
    paths: dict[str, Any] = {
        path: _get(summary, "application/json", reference)
        for (path, (summary, _)), reference in zip(_DOCUMENTS.items(), references, strict=True)
    }
    paths["/api/v1/events"] = _get("Names of what changed, as server-sent events", "text/event-stream", {})
    return {
        "openapi": "3.1.0",
        "info": {"title": "Perilune", "version": version},
        "paths": paths,
        "components": {"schemas": components},
    }


def _get(summary: str, media_type: str, schema: dict[str, Any]) -> dict[str, Any]:
    answer = {"description": summary, "content": {media_type: {"schema": schema}}}
    return {"get": {"summary": summary, "responses": {"200": answer}}}
