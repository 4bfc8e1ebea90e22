"""Requests and whole answers from one dialect to another, and within one where something must change."""

from typing import assert_never

from msgspec.structs import replace

from perilune.dialects import chat, messages, responses
from perilune.dialects.fields import encode
from perilune.dialects.form import Answer, Dialect, Request
from perilune.dialects.refuse import with_prefill, without_unsayable
from perilune.dialects.renaming import with_sent_names
from perilune.dialects.splice import REMOVE, splice
from perilune.dialects.structured import with_notice, with_structure
from perilune.dialects.target import Context, Frame, Hooks, Target, Translated
from perilune.dialects.thoughts import with_thoughts
from perilune.dialects.turns import with_fitting_ids, with_shaped_turns
from perilune.dialects.way_back import envelope_maker, restored

ENCRYPTED = "reasoning.encrypted_content"


def parse_request(dialect: Dialect, body: bytes) -> Request:
    """A body of this dialect in the internal form.

    Raises: RequestError PL-BODY-INVALID, PL-UNSUPPORTED (a continued stored response).
    """
    match dialect:
        case Dialect.CHAT:
            return chat.parse_request(body)
        case Dialect.MESSAGES:
            return messages.parse_request(body)
        case Dialect.RESPONSES:
            return responses.parse_request(body)
        case _:
            assert_never(dialect)


def print_request(dialect: Dialect, request: Request) -> bytes:
    """The request as a body of this dialect."""
    match dialect:
        case Dialect.CHAT:
            return chat.print_request(request)
        case Dialect.MESSAGES:
            return messages.print_request(request)
        case Dialect.RESPONSES:
            return responses.print_request(request)
        case _:
            assert_never(dialect)


def parse_answer(dialect: Dialect, body: bytes) -> Answer:
    """A whole answer of this dialect in the internal form.

    Raises: AnswerError PL-PARSE when it is none.
    """
    match dialect:
        case Dialect.CHAT:
            return chat.parse_answer(body)
        case Dialect.MESSAGES:
            return messages.parse_answer(body)
        case Dialect.RESPONSES:
            return responses.parse_answer(body)
        case _:
            assert_never(dialect)


def translate_request(source: Dialect, target: Target, body: bytes, hooks: Hooks | None = None) -> Translated:
    """The body as the target takes it, and what its answer's way back needs.

    Raises: RequestError PL-BODY-INVALID, or PL-UNSUPPORTED for what may not be left out.
    """
    return prepare_request(source, target, parse_request(source, body), hooks)


def prepare_request(source: Dialect, target: Target, request: Request, hooks: Hooks | None = None) -> Translated:
    """As `translate_request`, for a request already read."""
    adjusted: list[str] = []
    include_usage, wants_envelope = request.include_usage, ENCRYPTED in request.include
    request = without_unsayable(request, source, target, adjusted)
    request = with_prefill(request, source, target)
    request = with_thoughts(request, target, hooks or Hooks(), adjusted)
    request, names = with_sent_names(request, target, adjusted)
    request = with_shaped_turns(request, source, target, adjusted)
    request, used_ids = with_fitting_ids(request, source, target)
    request = with_notice(request, target)
    request, tool, strips = with_structure(request, source, target, adjusted)
    request = _finished(request, source, target)
    context = Context(
        client=source,
        upstream=target.dialect,
        names=names,
        used_ids=used_ids,
        structured_tool=tool,
        strips_fences=strips,
        include_usage=include_usage,
        wants_envelope=wants_envelope,
        family=target.family,
    )
    body = print_request(target.dialect, request)
    removed = {name: value for name, value in target.fields.items() if value is REMOVE}
    body = splice(body, removed) if removed else body
    return Translated(body=body, adjusted=tuple(dict.fromkeys(adjusted)), context=context)


def translate_answer(context: Context, body: bytes, frame: Frame) -> bytes:
    """A whole answer of the upstream as the client's dialect says it.

    Raises: AnswerError PL-PARSE when the upstream's body is no answer.
    """
    return print_answer(context, parse_answer(context.upstream, body), frame)


def print_answer(context: Context, answer: Answer, frame: Frame) -> bytes:
    """An upstream's answer in the internal form as a JSON body for the client."""
    answer = restored(context, answer, frame.seal)
    created, model = answer.created or frame.created, answer.model or frame.model
    answer = replace(answer, id=frame.id or answer.id, created=created, model=model)
    match context.client:
        case Dialect.CHAT:
            return chat.print_answer(answer)
        case Dialect.MESSAGES:
            return messages.print_answer(answer)
        case Dialect.RESPONSES:
            return responses.print_answer(answer, envelope_maker(context, frame.seal))
        case _:
            assert_never(context.client)


def _finished(request: Request, source: Dialect, target: Target) -> Request:
    """The last values: model, the limit Messages demands, the usage chunk we always ask for, the slot's own fields."""
    limit = request.max_output
    if target.dialect is Dialect.MESSAGES:
        limit = max(target.max_output_default if limit is None else limit, 1)
    has_tools = bool(request.tools or request.hosted_tools)
    is_default = source != target.dialect is Dialect.MESSAGES and request.parallel_tools is True
    return replace(
        request,
        model=target.model or request.model,
        max_output=limit,
        tool_choice=request.tool_choice if has_tools else None,
        parallel_tools=None if not has_tools or is_default else request.parallel_tools,
        include_usage=target.dialect is Dialect.CHAT and request.stream is True,
        session=request.session or target.session,
        extra=request.extra | {name: encode(value) for name, value in target.fields.items() if value is not REMOVE},
    )
