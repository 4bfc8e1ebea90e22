"""The live list of models, as tolerant as vendors are inventive."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from perilune.core.live_models import LiveModel
from perilune.providers.contract.model_list import listed


def test_a_full_row_is_kept_whole() -> None:
    row = {
        "id": "k3", "context_length": 1_048_576, "supports_thinking_type": "both", "display_name": "K3",
        "think_efforts": {"support": True, "valid_efforts": ["low", "high", "max"], "default_effort": "high"},
        "supports_reasoning": True, "supports_image_in": True, "supports_video_in": False, "supports_tool_use": True,
    }  # fmt: skip
    assert listed({"data": [row]}) == (
        LiveModel(
            id="k3", context=1_048_576, thinking="both", title="K3", efforts=("low", "high", "max"),
            default_effort="high", supports_reasoning=True, supports_image=True, supports_video=False,
            supports_tools=True,
        ),
    )  # fmt: skip


@pytest.mark.parametrize(
    "odd", [{"context_length": -1}, {"context_length": True}, {"supports_thinking_type": ["only"]},
            {"think_efforts": "all"}, {"supports_image_in": "yes"}, {"display_name": 7}],
)  # fmt: skip
def test_an_odd_field_is_not_said(odd: dict[str, object]) -> None:
    assert listed({"data": [{"id": "k3"} | odd]}) == (LiveModel(id="k3"),)


def test_rows_without_a_name_are_none() -> None:
    assert [model.id for model in listed({"data": [{}, {"id": " "}, 3, {"id": "k3"}]})] == ["k3"]


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


_NAMES = ("id", "context_length", "think_efforts", "supports_thinking_type", "supports_image_in")
_ROWS = st.lists(st.dictionaries(st.sampled_from(_NAMES), _JSON))


@given(st.dictionaries(st.sampled_from(["data", "object"]), _ROWS | _JSON))
def test_nothing_that_a_list_holds_raises(body: dict[str, object]) -> None:
    assert msgspec.json.decode(msgspec.json.encode(listed(body)), type=tuple[LiveModel, ...]) == listed(body)
