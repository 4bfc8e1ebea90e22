"""Random requests: read and printed again they are the same, and text, names and arguments survive every detour."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perilune.dialects.form import (
    Dialect,
    Image,
    Reasoning,
    Request,
    ResponseFormat,
    Text,
    Tool,
    ToolCall,
    ToolChoice,
    ToolResult,
    Turn,
)
from perilune.dialects.target import Target
from perilune.dialects.translate import parse_request, prepare_request, print_request

TEXT = st.text(min_size=1, max_size=12)
NAME = st.from_regex(r"[A-Za-z_][A-Za-z0-9_-]{2,10}", fullmatch=True)
JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)
OBJECT = st.dictionaries(TEXT, JSON, max_size=3)
ARGUMENTS = st.builds(lambda value, tight: json.dumps(value, indent=None if tight else 1), OBJECT, st.booleans())
PICTURE = st.builds(Image, media_type=st.just("image/png"), data=st.just("AAAA"))
TOOLS = st.lists(
    st.builds(Tool, name=NAME, description=st.none() | TEXT, schema=OBJECT.map(lambda s: json.dumps(s).encode())),
    max_size=3,
    unique_by=lambda tool: tool.name,
).map(tuple)


@st.composite
def conversations(draw: st.DrawFn) -> tuple[Turn, ...]:
    """Turns as agents make them: user, then answers with calls and their results."""
    turns = [Turn("user", tuple(draw(st.lists(TEXT.map(Text) | PICTURE, min_size=1, max_size=3))), index=0)]
    count = 0
    for _ in range(draw(st.integers(0, 3))):
        thought = [Reasoning(draw(TEXT), "")] if draw(st.booleans()) else []
        text = [Text(draw(TEXT))] if draw(st.booleans()) else []
        calls = [
            ToolCall(f"c{count + n}", draw(NAME), draw(ARGUMENTS))
            for n in range(draw(st.integers(0 if text else 1, 2)))
        ]
        count += len(calls)
        turns.append(Turn("assistant", (*thought, *text, *calls), index=len(turns)))
        results = [ToolResult(call.id, (Text(draw(TEXT)),), is_text=True) for call in calls]
        more = [Text(draw(TEXT))] if not calls or draw(st.booleans()) else []
        turns.append(Turn("user", (*results, *more), index=len(turns)))
    return tuple(turns)


CHOICES = st.none() | st.sampled_from(["auto", "none", "required"]).map(ToolChoice)
REQUESTS = st.builds(
    Request,
    model=TEXT,
    system=st.lists(TEXT.map(Text), max_size=1).map(tuple),
    system_is_text=st.just(True),
    turns=conversations(),
    tools=TOOLS,
    max_output=st.integers(1, 10**6),
    stream=st.none() | st.booleans(),
    end_user=st.just("") | TEXT,
)


def essence(request: Request) -> dict[str, Any]:
    """What has to survive every detour, without the ids' spelling and the borders between turns."""
    ids: dict[str, int] = {}
    said: list[Any] = [("system", "\n\n".join(text.text for text in request.system))]
    for turn in request.turns:
        for part in turn.parts:
            match part:
                case Text():
                    said.append((turn.role, part.text))
                case Reasoning():
                    said.append(("thought", part.text))
                case Image():
                    said.append((turn.role, part.media_type, part.data))
                case ToolCall():
                    said.append(("call", ids.setdefault(part.id, len(ids)), part.name, part.arguments))
                case ToolResult():
                    said.append(("result", ids[part.id], "".join(p.text for p in part.parts if isinstance(p, Text))))
                case _:
                    raise AssertionError(part)
    system = said[1] if len(said) > 1 and said[1][0] == "system" and not request.system else None
    if system is not None:
        said[0:2] = [system]
    tools = [(tool.name, tool.description, json.loads(tool.schema or b"{}")) for tool in request.tools]
    limits = (request.max_output, request.stream, request.end_user)
    return {"model": request.model, "said": said, "tools": tools, "limits": limits}


@pytest.mark.parametrize("dialect", list(Dialect))
@settings(max_examples=60)
@given(request=REQUESTS, choice=CHOICES, parallel=st.none() | st.booleans(), extra=OBJECT)
def test_a_printed_request_is_read_back_and_printed_the_same(
    dialect: Dialect, request: Request, choice: ToolChoice | None, parallel: bool | None, extra: dict[str, Any]
) -> None:
    from msgspec.structs import replace

    body = print_request(
        dialect,
        replace(
            request,
            tool_choice=choice,
            parallel_tools=parallel,
            extra={f"x_{name}": json.dumps(value).encode() for name, value in extra.items()},
            response_format=ResponseFormat("json_schema", b'{"type":"object"}', "n", True),
        ),
    )
    assert json.loads(print_request(dialect, parse_request(dialect, body))) == json.loads(body)
    assert print_request(dialect, parse_request(dialect, body)) == body


@pytest.mark.parametrize("source", list(Dialect))
@pytest.mark.parametrize("target", list(Dialect))
@settings(max_examples=40)
@given(request=REQUESTS)
def test_a_request_survives_the_way_there_and_back(source: Dialect, target: Dialect, request: Request) -> None:
    first = parse_request(source, print_request(source, request))
    there = prepare_request(source, Target(dialect=target, takes_system_turns=False), first)
    back = prepare_request(target, Target(dialect=source), parse_request(target, there.body))
    again = parse_request(source, back.body)
    assert essence(again) == essence(first)
    assert again.tools == first.tools or [tool.name for tool in again.tools] == [tool.name for tool in first.tools]


@pytest.mark.case("gateway TR-15")
@pytest.mark.parametrize("dialect", list(Dialect))
@settings(max_examples=80)
@given(request=REQUESTS)
def test_a_request_is_the_same_after_the_internal_form(dialect: Dialect, request: Request) -> None:
    first = parse_request(dialect, print_request(dialect, request))
    assert parse_request(dialect, print_request(dialect, first)) == first
