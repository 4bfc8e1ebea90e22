"""Asking a model: the way of every answer request, whoever plays the vendor."""

from collections.abc import Iterator
from typing import Any, Protocol

import msgspec
from msgspec import structs

from perilune.sandbox.behaviour import Behaviour
from perilune.sandbox.http.reply import STREAM, Reply
from perilune.sandbox.models import CREATED, Model
from perilune.sandbox.refusals import Refusal, refusal, refuse
from perilune.sandbox.routes.call import Call, Envelope, refusal_reply
from perilune.sandbox.rules import is_thinking
from perilune.sandbox.speech import Asked, Said
from perilune.sandbox.speech.asked import Surface
from perilune.sandbox.surfaces import chat, messages, responses
from perilune.sandbox.surfaces.chat import ChatWriter
from perilune.sandbox.surfaces.frames import Frame, data_frame
from perilune.sandbox.surfaces.messages import MessagesWriter
from perilune.sandbox.surfaces.responses import ResponsesWriter
from perilune.sandbox.tickets import Ticket

_READERS = {"chat": chat.read, "messages": messages.read, "responses": responses.read}
Writer = ChatWriter | MessagesWriter | ResponsesWriter


class House(Protocol):
    """What a vendor decides about a request. Each step raises Refused to end it."""

    envelope: Envelope

    def welcome(self, call: Call, surface: Surface) -> None:
        """Looks at the account before the body: credential, client, standing, quota or money."""

    def model(self, call: Call, asked: Asked) -> Model:
        """The model that will really answer."""

    def admit(self, call: Call, asked: Asked, model: Model, ticket: Ticket) -> int:
        """Checks the request and its rates; gives the tokens it is admitted with."""

    def charge(self, call: Call, model: Model, said: Said) -> None:
        """Counts the answer in windows or money."""


def infer(call: Call, house: House, surface: Surface, ticket: Ticket) -> Reply:
    """Answers one request on one surface. Raises: Refused."""
    house.welcome(call, surface)
    asked = _READERS[surface](body_of(call))
    call.entry.model, call.entry.is_stream = asked.model, asked.is_stream
    model = house.model(call, asked)
    tokens = house.admit(call, asked, model, ticket)
    world = call.world
    line = world.speaker.choose(asked)
    if line.refusal:
        raise refuse(line.refusal, model=asked.model)
    ticket.is_admitted = True
    ticket.traffic.admit(call.now, tokens)
    behaviour = _behaviour(call)
    thinks = is_thinking(asked, model, behaviour)
    cached = world.cache(call.entry.account).cached_tokens(asked.prefix)
    said = world.speaker.speak(asked, line, is_thinking=thinks, cached=cached)
    house.charge(call, model, said)
    return _written(call, asked, model, said, behaviour)


def body_of(call: Call) -> dict[str, Any]:
    """The JSON object of the body. Raises: Refused (400)."""
    try:
        body = call.request.json()
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise refuse("dev-err-400-invalid-request", reason="request body is not valid JSON") from None
    if not isinstance(body, dict):
        raise refuse("dev-err-400-invalid-request", reason="request body must be an object")
    return body


def count(call: Call, surface: Surface) -> int:
    """Tokens of a prompt."""
    asked = _READERS[surface](body_of(call))
    if not asked.turns:
        raise refuse("dev-err-400-invalid-request", reason="messages is required")
    return asked.prompt_tokens


def _behaviour(call: Call) -> Behaviour:
    """The switches, with what this request's fault turns."""
    fault, behaviour = call.fault, call.world.behaviour
    if fault.usage is not None:
        behaviour = structs.replace(behaviour, usage=fault.usage)
    return behaviour


def _written(call: Call, asked: Asked, model: Model, said: Said, behaviour: Behaviour) -> Reply:
    writer = _writer(call, asked, model, behaviour)
    fault = call.fault
    waits: dict[str, Any] = {"first_content_s": said.first_content_s, "gap_s": said.gap_s, "pieces": said.pieces}
    if fault.inside_200:
        return structs.replace(Reply.json(_error_inside(call, fault.inside_200)), **waits)
    is_stream = asked.is_stream if fault.as_stream is None else fault.as_stream
    if not is_stream:
        return structs.replace(Reply.json(writer.answer(said)), **waits)
    headers = [("Content-Type", STREAM), ("Cache-Control", "no-cache")]
    frames = list(_with_errors(call, writer, writer.stream(said)))
    return Reply(headers=headers, frames=frames, **waits)


def _writer(call: Call, asked: Asked, model: Model, behaviour: Behaviour) -> Writer:
    ids = call.world.ids
    match asked.surface:
        case "messages":
            return MessagesWriter(id=ids.numbered("msg_"), model=model.id, behaviour=behaviour)
        case "responses":
            return ResponsesWriter(
                id=ids.numbered("resp_"),
                model=model.id,
                created=_seconds(call),
                behaviour=behaviour,
                shows_reasoning=bool((asked.body.get("reasoning") or {}).get("summary")),
                shows_encrypted="reasoning.encrypted_content" in (asked.body.get("include") or []),
            )
        case "chat":
            return ChatWriter(
                id=f"chatcmpl-{ids.hexadecimal(24)}",
                model=model.id,
                created=_seconds(call),
                behaviour=behaviour,
                wants_usage=asked.wants_usage,
            )


def _seconds(call: Call) -> int:
    return int(call.now.timestamp()) or CREATED


def _with_errors(call: Call, writer: Writer, frames: Iterator[Frame]) -> Iterator[Frame]:
    """The frames, with an error first or after some content where the fault says so."""
    fault = call.fault
    if fault.error_first:
        yield _error_frame(call, writer, refusal(fault.error_first, **fault.facts))
        return
    contents = 0
    for frame in frames:
        yield frame
        contents += frame.part == "content"
        if fault.error_after and contents == fault.error_after[0]:
            yield _error_frame(call, writer, refusal(fault.error_after[1], **fault.facts))
            return


def _error_frame(call: Call, writer: Writer, said: Refusal) -> Frame:
    if call.host != "openrouter.ai":
        return writer.error(said)
    error = {"code": said.status, "message": said.message}
    choice = {"index": 0, "delta": {"content": ""}, "finish_reason": "error"}
    return data_frame({"id": "gen-1", "object": "chat.completion.chunk", "error": error, "choices": [choice]}, "tail")


def _error_inside(call: Call, name: str) -> Any:
    said = refusal(name, **call.fault.facts)
    return msgspec.json.decode(refusal_reply(call, said, "router" if not said.kind else "chat").body)
