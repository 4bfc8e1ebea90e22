import copy
import json
import pickle

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from perilune.core.encode import encode_document
from perilune.core.secret import Secret

KEY = "sk-kimi-EXAMPLEEXAMPLEa1b2"


class Holder(msgspec.Struct):
    key: Secret


@pytest.mark.parametrize("show", [repr, str, ascii, "{}".format, "{!r:>40}".format])
def test_no_way_of_printing_shows_the_text(show) -> None:
    assert "EXAMPLE" not in show(Secret(KEY))
    assert "EXAMPLE" not in show([Secret(KEY), {"key": Secret(KEY)}, Holder(Secret(KEY))])
    assert "EXAMPLE" not in f"{Secret(KEY):>40}"


@pytest.mark.parametrize(
    "encode", [json.dumps, msgspec.json.encode, msgspec.msgpack.encode, encode_document, pickle.dumps]
)
def test_no_encoder_takes_a_secret(encode) -> None:
    for document in (Secret(KEY), Holder(Secret(KEY)), {"key": [Secret(KEY)]}):
        with pytest.raises(TypeError) as caught:
            encode(document)
        assert "EXAMPLE" not in str(caught.value)


def test_a_secret_is_not_copied_deeply() -> None:
    with pytest.raises(TypeError):
        copy.deepcopy(Secret(KEY))


def test_a_secret_has_no_dictionary() -> None:
    with pytest.raises(TypeError):
        vars(Secret(KEY))


def test_only_reveal_gives_the_text() -> None:
    assert Secret(KEY).reveal() == KEY


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        (KEY, "sk-kimi-…a1b2"),
        ("sk-EXAMPLEEXAMPLE9f3c", "sk-…9f3c"),
        ("sk-or-EXAMPLEEXAMPLE9f3c", "sk-or-…9f3c"),
        ("plk_EXAMPLEEXAMPLE0000", "plk_…0000"),
        ("eyJhEXAMPLE.eyJi.sig0", "…sig0"),
        ("short", "…"),
        ("sk-kimi-abcd", "…"),
        ("", "…"),
    ],
)
def test_people_see_the_prefix_and_the_last_four(text: str, masked: str) -> None:
    assert Secret(text).masked() == masked


@given(st.text(max_size=60))
def test_the_mask_hides_at_least_half(text: str) -> None:
    masked = Secret(text).masked()
    prefix, last = masked.split("…", 1)
    assert len(last) <= (len(text) - len(prefix)) / 2


@given(st.text(), st.text())
def test_equality_is_that_of_the_texts(one: str, other: str) -> None:
    assert (Secret(one) == Secret(other)) == (one == other)
    assert Secret(one) != one
    if one == other:
        assert hash(Secret(one)) == hash(Secret(other))


def test_a_lone_surrogate_from_the_environment_is_no_obstacle() -> None:
    odd = Secret("sk-\udcff" + KEY)
    assert odd == Secret("sk-\udcff" + KEY)
    assert odd.fingerprint(b"salt") != Secret(KEY).fingerprint(b"salt")


def test_a_fingerprint_tells_equal_from_different_and_depends_on_the_salt() -> None:
    assert Secret(KEY).fingerprint(b"a") == Secret(KEY).fingerprint(b"a")
    assert Secret(KEY).fingerprint(b"a") != Secret(KEY).fingerprint(b"b")
    assert Secret(KEY).fingerprint(b"a") != Secret(KEY + "x").fingerprint(b"a")


def test_an_empty_secret_is_false() -> None:
    assert not Secret("")
    assert Secret("x")
