"""`/api/v1/history`: the document of `perilune history`, as JSON or CSV."""

from starlette.requests import Request
from starlette.responses import Response

from perilune.core.errors import PeriluneError
from perilune.core.messages import Language, Voice
from perilune.faces.api.answers import document
from perilune.faces.api.ports import Service
from perilune.faces.text.history_csv import history_csv
from perilune.quota.wording import error_document

_DEFAULTS = {"hour": "24h"}
_MONTH = "30d"


async def history_answer(service: Service, request: Request, language: Language) -> Response:
    """What was recorded, by `since`, `by` and `tz`; `format=csv` is a file. What cannot be understood is 400."""
    asked = request.query_params
    by = asked.get("by", "day")
    since = asked.get("since") or _DEFAULTS.get(by, _MONTH)
    try:
        found = await service.history(since, by, asked.get("tz"))
    except PeriluneError as error:
        told = error_document(error.problem, Voice(language=language, now=service.now()))
        return document({"schema": "perilune.error.v1", "error": told}, 400)
    if asked.get("format") != "csv":
        return document(found)
    headers = {"cache-control": "no-store", "content-disposition": 'attachment; filename="perilune-history.csv"'}
    return Response(history_csv(found), 200, headers, "text/csv; charset=utf-8; header=present")
