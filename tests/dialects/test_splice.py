"""Top-level changes that leave every other byte alone."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perilune.core.errors import RequestError
from perilune.dialects.head import Body
from perilune.dialects.splice import DEEPEST, REMOVE, is_too_deep, members_of, places_of, splice

KEYS = st.sampled_from(["model", "messages", 'a"b', "ü", "x y", "stream", "\\", "n"])
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-1000, 1000) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)
SPACE = st.text(" \t\n\r", max_size=2)


@st.composite
def written_objects(draw: st.DrawFn) -> tuple[dict[str, Any], bytes]:
    """An object and one of the many ways to write it."""
    value = draw(st.dictionaries(KEYS, VALUES, max_size=6))
    pieces = []
    for key, inner in value.items():
        name = json.dumps(key, ensure_ascii=draw(st.booleans()))
        text = json.dumps(inner, indent=draw(st.sampled_from([None, 1])), ensure_ascii=draw(st.booleans()))
        pieces.append(draw(SPACE) + name + draw(SPACE) + ":" + draw(SPACE) + text + draw(SPACE))
    inside = ",".join(pieces) if pieces else draw(SPACE)
    return value, (draw(SPACE) + "{" + inside + "}" + draw(SPACE)).encode()


@given(written_objects(), st.dictionaries(KEYS | st.just("new"), VALUES | st.just(REMOVE), max_size=5))
def test_splicing_changes_what_it_is_told_and_nothing_else(
    written: tuple[dict[str, Any], bytes], changes: dict[str, Any]
) -> None:
    value, body = written
    done = splice(body, changes)
    expected = {key: inner for key, inner in (value | changes).items() if inner is not REMOVE}
    assert json.loads(done) == expected
    assert list(json.loads(done)) == [
        key for key in (*value, *(k for k in changes if k not in value)) if key in expected
    ]
    for key, raw in members_of(body).items():
        if key not in changes:
            assert bytes(raw) in done


def test_untouched_bytes_keep_their_place_and_form() -> None:
    body = b' { "model" : "a" ,\n "messages" : [ 1.0e3 , "\\u00e9{" ] }\n'
    assert splice(body, {"model": "b"}) == b' { "model" : "b" ,\n "messages" : [ 1.0e3 , "\\u00e9{" ] }\n'
    assert splice(body, {}) is body


@pytest.mark.case("gateway PA-14")
@pytest.mark.parametrize(
    "body",
    [
        b'{"model":"a","model":"b"}',
        b'{"model":"a","messages":[],"mod\\u0065l":"a"}',
        b'{"model":1,"x":2,"model":12}',
        b'{"model":12,"x":2,"model":1}',
        b'{"x":{"model":1},"model":[],"model":{}}',
        b'{"model":"a\\",\\"x\\":1","x":1,"model":"a"}',
    ],
)
def test_a_key_that_stands_twice_is_refused(body: bytes) -> None:
    with pytest.raises(RequestError) as caught:
        Body(body)
    assert caught.value.problem.code == "PL-BODY-INVALID"
    assert caught.value.problem.variant == "duplicate"


@given(written_objects())
def test_an_object_without_doubles_is_never_refused(written: tuple[dict[str, Any], bytes]) -> None:
    places_of(written[1], members_of(written[1]))


@given(written_objects(), written_objects())
def test_any_shared_key_of_two_joined_objects_is_found(
    first: tuple[dict[str, Any], bytes], second: tuple[dict[str, Any], bytes]
) -> None:
    if not first[0] or not second[0]:
        return
    joined = first[1].strip(b" \t\r\n")[:-1] + b"," + second[1].strip(b" \t\r\n")[1:]
    members = members_of(joined)
    if first[0].keys() & second[0].keys():
        with pytest.raises(RequestError):
            places_of(joined, members)
    else:
        places_of(joined, members)


@pytest.mark.parametrize("body", [b"", b"[1]", b'"x"', b"{", b'{"a":1}x', b"\xff", b'{"a":tru}', b"null"])
def test_what_is_no_object_is_refused(body: bytes) -> None:
    with pytest.raises(RequestError) as caught:
        members_of(body)
    assert caught.value.problem.variant == "json"


def test_nesting_is_allowed_to_sixty_four_and_no_further() -> None:
    members_of(b'{"a":' + b"[" * 63 + b"]" * 63 + b"}")
    flat = b'{"a":[' + b",".join([b"{}"] * 500) + b',"' + b"[" * 500 + b'"]}'
    members_of(flat)
    for body in (b'{"a":' + b"[" * 64 + b"]" * 64 + b"}", b'{"a":' + b"[" * 100000 + b"]" * 100000 + b"}"):
        with pytest.raises(RequestError) as caught:
            members_of(body)
        assert caught.value.problem.code == "PL-BODY-INVALID"


@given(st.recursive(SPACE, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(SPACE, inner), max_leaves=6))
def test_depth_is_that_of_the_value_whatever_its_strings_hold(value: Any) -> None:
    def depth(inner: Any) -> int:
        items = inner.values() if isinstance(inner, dict) else inner if isinstance(inner, list) else None
        return 0 if items is None else 1 + max(map(depth, items), default=0)

    trap = '[{"\\\\' * 80
    for levels in (DEEPEST - depth(value), DEEPEST - depth(value) + 1):
        nested = value
        for _ in range(levels):
            nested = [trap, nested, "\\"]
        assert is_too_deep(json.dumps(nested).encode()) == (levels + depth(value) > DEEPEST)
