"""OpenRouter's refusals as outcome classes, also those inside a 200. Source: gateway reference 4.4."""

from perilune.providers.contract.outcome import Answered
from perilune.providers.contract.outcome import OutcomeClass as Is
from perilune.providers.contract.table import Found, Row, first_match, words
from perilune.providers.contract.words import VendorError

_ROWS = (
    Row(status=(400,), words=words("context length", "maximum context"), kind=Is.CONTEXT_OVERFLOW),
    Row(status=(400,), kind=Is.BAD_REQUEST),
    Row(status=(401,), kind=Is.AUTH_REFUSED),
    Row(status=(402,), kind=Is.BALANCE_EMPTY),
    Row(status=(403,), kind=Is.PERMISSION),
    Row(status=(404,), words=words("allowed providers", "no endpoints found"), kind=Is.ROUTING_REFUSED),
    Row(status=(404,), kind=Is.MODEL_UNKNOWN),
    Row(status=(408, 502, 503), kind=Is.TRANSIENT),
    Row(status=(429,), words=words("free-models-per-day"), kind=Is.RATE_TPD),
    Row(status=(429,), kind=Is.RATE_OTHER),
)


def classify(answered: Answered, error: VendorError) -> Found | None:
    """The class by the body's own code, else by status; None when no row fits."""
    status = error.number if error.number is not None else answered.status
    found = first_match(_ROWS, status, error)
    if found is None:
        return None
    if found.kind is Is.PERMISSION and ("reasons" in error.metadata or "flagged_input" in error.metadata):
        return Found(kind=Is.CONTENT_FILTERED)
    raw = error.metadata.get("raw")
    if found.kind is Is.RATE_OTHER and isinstance(raw, str) and "free-models-per-day" in raw.lower():
        return Found(kind=Is.RATE_TPD)
    return found
