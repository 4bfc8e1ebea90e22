"""The last touch to every answer: dates, request ids, waits, and the words of a fault."""

import gzip
from datetime import timedelta
from email.utils import format_datetime

import msgspec

from perilune.sandbox.behaviour import RetryForm
from perilune.sandbox.faults import Fault
from perilune.sandbox.http.reply import HTML, Reply
from perilune.sandbox.refusals import Refusal, refusal
from perilune.sandbox.routes.call import Call, Envelope, refusal_reply

_CAPTIVE = "<!doctype html><html><head><title>Sign in to this network</title></head><body>Wi-Fi login</body></html>"
_HTML_502 = "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body><center><h1>502</h1></center></body></html>"


def refuse_with(call: Call, said: Refusal, envelope: Envelope) -> Reply:
    """A refusal with its wait told in the form of the day."""
    form: RetryForm = call.fault.retry_after or call.world.behaviour.retry_after
    wait_s = call.fault.wait_s if call.fault.wait_s is not None else said.wait_s
    if wait_s is None:
        wait_s = 1.0 if call.fault.retry_after else None
    if wait_s is None:
        return refusal_reply(call, said, envelope)
    reply = refusal_reply(call, msgspec.structs.replace(said, message=said.message + _words(form, wait_s)), envelope)
    for name, value in _wait_headers(call, form, wait_s).items():
        reply.put_header(name, value)
    return reply


def _words(form: RetryForm, wait_s: float) -> str:
    minutes, seconds = divmod(round(wait_s), 60)
    return {
        "message": f", please try again after {wait_s:g} seconds",
        "message-for": f", retry after {wait_s:g}s",
        "message-minutes": f", please try again in {minutes}m{seconds}s",
        "message-ms": f", please try again in {round(wait_s * 1000)}ms",
    }.get(form, "")


def _wait_headers(call: Call, form: RetryForm, wait_s: float) -> dict[str, str]:
    until = call.now + timedelta(seconds=call.world.behaviour.date_skew_s + wait_s)
    match form:
        case "seconds":
            return {"Retry-After": str(-(-round(wait_s * 1000) // 1000))}
        case "decimal":
            return {"Retry-After": f"{wait_s:g}" if wait_s % 1 else f"{wait_s:.1f}"}
        case "ms":
            return {"retry-after-ms": str(round(wait_s * 1000))}
        case "date":
            return {"Retry-After": format_datetime(until, usegmt=True)}
        case "ratelimit-reset-delta":
            return {"x-ratelimit-reset": f"{wait_s:g}"}
        case "ratelimit-reset-epoch":
            return {"x-ratelimit-reset": str(int(until.timestamp()))}
        case "ratelimit-reset-ms":
            return {"x-ratelimit-reset": str(int(until.timestamp() * 1000))}
        case "garbage":
            return {"Retry-After": "soon"}
        case "negative":
            return {"Retry-After": "-3"}
        case "huge":
            return {"Retry-After": "999999"}
        case _:
            return {}


def faulty(call: Call, fault: Fault, envelope: Envelope) -> Reply:
    """What a fault says instead of the real answer."""
    if fault.refusal:
        reply = refuse_with(call, refusal(fault.refusal, wait_s=fault.wait_s, **fault.facts), envelope)
        reply.status = fault.status or reply.status
    elif fault.page:
        reply = _page(fault)
    else:
        reply = _raw(call, fault, envelope)
    for name, value in fault.headers.items():
        reply.put_header(name, value)
    return reply


def _page(fault: Fault) -> Reply:
    match fault.page:
        case "html-502":
            return Reply.text(_HTML_502, 502, HTML)
        case "captive":
            return Reply.text(_CAPTIVE, 200, HTML)
        case "redirect":
            return Reply(status=fault.status or 302, headers=[("Location", fault.location)])
        case _:
            return Reply.text("")


def _raw(call: Call, fault: Fault, envelope: Envelope) -> Reply:
    status = fault.status or 200
    if isinstance(fault.body, str):
        return Reply.text(fault.body, status)
    if fault.body is not None:
        return Reply.json(fault.body, status)
    return refuse_with(call, Refusal(status=status, kind="server_error", message="sandbox fault"), envelope)


def dress(call: Call, reply: Reply) -> None:
    """Headers that every answer of a host carries."""
    world = call.world
    if world.behaviour.private_headers and call.host != "":
        reply.headers += [("Server", "openresty"), ("Set-Cookie", "acw_tc=sandbox; Path=/; HttpOnly")]
    at = call.now + timedelta(seconds=world.behaviour.date_skew_s)
    reply.headers.append(("Date", format_datetime(at, usegmt=True)))
    if "moonshot" in call.host or call.path.startswith(("/v1/", "/anthropic/")):
        reply.headers += [("Msh-Request-Id", world.ids.request()), ("x-trace-id", world.ids.hexadecimal(32))]
        if world.behaviour.private_headers:
            reply.headers += [("Msh-Org-Id", "org-0000"), ("Msh-Uid", "u_0001")]
    if call.fault.gzip and reply.frames is None:
        reply.body = gzip.compress(reply.body)
        reply.headers.append(("Content-Encoding", "gzip"))
    if call.fault.wrong_type:
        reply.put_header("Content-Type", call.fault.wrong_type)
    for name, value in call.fault.headers.items():
        reply.put_header(name, value)
