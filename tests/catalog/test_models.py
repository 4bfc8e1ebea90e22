"""Traits of every model the references list, and how names find them."""

from datetime import date

import pytest

from perilune.catalog.load import Catalogue, Document, load
from perilune.catalog.models import closest, merge_live
from perilune.core.errors import ConfigError
from perilune.core.live_models import LiveModel
from perilune.core.messages import Voice

TODAY = date(2026, 11, 20)


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load()


K3 = (1_048_576, "only", "effort", "fixed", 1.0, None, 0.95, ("auto", "none", "required"))
K27 = (262_144, "only", "toggle", "fixed", 1.0, None, 0.95, ("auto", "none"))
K26 = (262_144, "both", "toggle", "fixed", 1.0, 0.6, 0.95, ("auto", "none"))


@pytest.mark.parametrize(
    ("name", "traits", "inputs", "state", "mark"),
    [
        ("kimi-k3.1-pro", K3, {"image", "video"}, "current", "T"),
        ("kimi-k3.1-pro-highspeed", K3, {"image", "video"}, "current", "T"),
        ("kimi-k3", K3, {"image", "video"}, "current", "D"),
        ("kimi-k2.7-code", K27, {"image"}, "current", "D"),
        ("kimi-k2.7-code-highspeed", K27, {"image"}, "current", "D"),
        ("kimi-k2.6", K26, {"image", "video"}, "closing", "D"),
        ("kimi-k2.5", K26, {"image"}, "retired", "T"),
    ],
)
def test_each_moonshot_model_has_its_traits(
    catalogue: Catalogue, name: str, traits: tuple[object, ...], inputs: set[str], state: str, mark: str
) -> None:
    model = catalogue.model("moonshot", name)
    assert model is not None
    assert traits == (
        model.context, model.thinking, model.thinking_form, model.sampling, model.temperature.thinking_on,
        model.temperature.thinking_off, model.top_p, model.tool_choice_with_thinking,
    )  # fmt: skip
    assert (set(model.inputs), model.state_on(TODAY), model.mark) == (inputs, state, mark)
    assert (model.max_output_default, model.max_tools, model.as_of) == (32_768, 128, TODAY)


@pytest.mark.parametrize(
    ("name", "context", "thinking", "form", "factor"),
    [
        ("kimi-for-coding", 1_048_576, "both", "toggle+effort", None),
        ("k3", 1_048_576, "both", "toggle+effort", None),
        ("k3-256k", 262_144, "both", "toggle+effort", ("0.5", "k3")),
        ("kimi-for-coding-highspeed", 262_144, "only", "effort", ("3", "kimi-for-coding")),
        ("k3.1-pro", 1_048_576, "both", "effort", None),
    ],
)
def test_each_kimi_code_model_has_its_traits(
    catalogue: Catalogue, name: str, context: int, thinking: str, form: str, factor: tuple[str, str] | None
) -> None:
    model = catalogue.model("kimi-code", name)
    assert model is not None
    assert (model.context, model.thinking, model.thinking_form) == (context, thinking, form)
    assert (model.sampling, model.efforts) == ("fixed", ("low", "high", "max"))
    told = None if model.quota_factor is None else (str(model.quota_factor), model.quota_factor_of)
    assert told == factor


@pytest.mark.parametrize(
    ("name", "row"),
    [
        ("kimi-k2", "kimi-k2-0711-preview"),
        ("kimi-k2-0711-preview", "kimi-k2-0711-preview"),
        ("kimi-k2-0905-preview", "kimi-k2-0905-preview"),
        ("kimi-k2-0905", "kimi-k2-0905-preview"),
        ("kimi-k2-turbo-preview", "kimi-k2-turbo-preview"),
        ("kimi-k2-thinking", "kimi-k2-thinking"),
        ("kimi-k2-thinking-turbo", "kimi-k2-thinking-turbo"),
        ("kimi-latest", "kimi-latest"),
        ("moonshot-v1-8k", "moonshot-v1-8k"),
        ("moonshot-v1-32k", "moonshot-v1-32k"),
        ("moonshot-v1-128k", "moonshot-v1-128k"),
        ("moonshot-v1-8k-vision-preview", "moonshot-v1-8k"),
        ("moonshot-v1-vision", "moonshot-v1-128k"),
    ],
)
def test_a_retired_name_is_known_as_retired(catalogue: Catalogue, name: str, row: str) -> None:
    model = catalogue.model("moonshot", name)
    assert model is not None
    assert (model.id, model.state_on(TODAY)) == (row, "retired")


def test_a_closing_model_is_retired_after_its_last_day(catalogue: Catalogue) -> None:
    model = catalogue.model("moonshot", "kimi-k2.6")
    assert model is not None
    assert [model.state_on(day) for day in (date(2026, 12, 31), date(2027, 1, 1))] == ["closing", "retired"]


def test_an_aliased_name_is_known_only_on_its_plan(catalogue: Catalogue) -> None:
    aliased = catalogue.model("openrouter", "moonshotai/kimi-k2.6")
    assert aliased is not None
    assert aliased.id == "kimi-k2.6"
    assert catalogue.model("moonshot", "moonshotai/kimi-k2.6") is None
    assert catalogue.model("openrouter", "kimi-k2.6") is None


@pytest.mark.parametrize(
    ("plan", "name"),
    [("moonshot", "gpt-9"), ("openai-compatible", "kimi-k2.6"), ("kimi-code", "kimi-k2.6"), ("moonshot", "")],
)
def test_an_unknown_model_has_no_traits(catalogue: Catalogue, plan: str, name: str) -> None:
    assert catalogue.model(plan, name) is None


def test_effort_aliases_are_the_surface_s_own(catalogue: Catalogue) -> None:
    assert catalogue.effort_aliases["kimi-code"] == {
        "none": "off", "minimum": "low", "light": "low", "low": "low", "medium": "high", "high": "high",
        "xhigh": "max", "ultra": "max", "max": "max",
    }  # fmt: skip


def test_a_live_list_wins_over_shipped_traits(catalogue: Catalogue) -> None:
    shipped = catalogue.model("kimi-code", "kimi-for-coding")
    live = LiveModel(
        id="kimi-for-coding", context=524_288, thinking="only", efforts=("low", "high"), default_effort="high",
        supports_image=True, supports_video=False, title="Kimi For Coding",
    )  # fmt: skip
    merged = merge_live(shipped, live, "kimi-code", TODAY)
    assert (merged.context, merged.thinking, merged.thinking_form) == (524_288, "only", "effort")
    assert (merged.efforts, merged.default_effort, merged.inputs) == (("low", "high"), "high", ("image",))
    assert (merged.sampling, merged.max_output_default, merged.is_live) == ("fixed", 32_768, True)


def test_a_live_list_that_says_little_changes_little(catalogue: Catalogue) -> None:
    shipped = catalogue.model("moonshot", "kimi-k2.6")
    assert shipped is not None
    merged = merge_live(shipped, LiveModel(id="kimi-k2.6", supports_reasoning=True), "moonshot", TODAY)
    assert (merged.context, merged.thinking, merged.inputs) == (shipped.context, "both", ("image", "video"))


def test_a_model_only_the_live_list_knows_gets_nothing_extra() -> None:
    merged = merge_live(None, LiveModel(id="k9", context=2_000_000), "kimi-code", TODAY)
    assert (merged.context, merged.sampling, merged.thinking, merged.thinking_form) == (
        2_000_000,
        "free",
        "none",
        "none",
    )
    assert merged.names("kimi-code") == ("k9",)


@pytest.mark.parametrize(
    ("thinking", "efforts", "form"),
    [("both", ("low",), "toggle+effort"), ("both", (), "toggle"), ("only", ("low",), "effort"), ("only", (), "none")],
)
def test_a_live_only_model_takes_the_form_its_list_offers(thinking: str, efforts: tuple[str, ...], form: str) -> None:
    live = LiveModel(id="k9", thinking=thinking, efforts=efforts)  # type: ignore[arg-type]
    assert merge_live(None, live, "kimi-code", TODAY).thinking_form == form


def test_the_user_s_row_wins_and_says_only_what_differs() -> None:
    own = Document("catalogue.toml", '[[model]]\nid = "kimi-k2.6"\ncontext = 1000\n')
    model = load(override=own).model("moonshot", "kimi-k2.6")
    assert model is not None
    assert (model.context, model.thinking, model.is_override) == (1000, "both", True)


def test_a_provider_s_own_document_adds_models_and_prices() -> None:
    text = """
    [[model]]
    id = "tiny-1"
    plans = ["tiny"]
    context = 8000
    [[price]]
    plan = "tiny"
    model = "tiny-1"
    currency = "USD"
    input_miss = 1
    output = 2
    """
    model = load([Document("providers/tiny/models.toml", text)]).model("tiny", "tiny-1")
    assert model is not None
    assert (model.context, model.sampling, model.is_override) == (8000, "free", False)


@pytest.mark.parametrize(
    "text",
    [
        "model = 3",
        "model = [3]",
        "[[model]]\nid = 7\nplans = []",
        "[[modle]]",
        "[[",
        '[[model]]\nid="x"\nplans=["p"]\nbogus=1',
    ],
)
def test_a_document_that_cannot_be_used_is_named(text: str) -> None:
    with pytest.raises(ConfigError) as raised:
        load(override=Document("own.toml", text))
    assert "own.toml" in Voice().explain(raised.value.problem).what


@pytest.mark.parametrize(
    ("plan", "typed", "meant"),
    [
        ("kimi-code", "kimi-for-codng", "kimi-for-coding"),
        ("kimi-code", "K3-256", "k3-256k"),
        ("moonshot", "kimi-k2.7", "kimi-k2.7-code"),
        ("moonshot", "zzzzzzzz", None),
    ],
)
def test_a_mistyped_name_is_answered_with_the_closest(
    catalogue: Catalogue, plan: str, typed: str, meant: str | None
) -> None:
    assert catalogue.closest_model(plan, typed, TODAY) == meant


def test_a_retired_name_is_answered_with_one_that_is_not(catalogue: Catalogue) -> None:
    near = catalogue.closest_model("moonshot", "kimi-k2-0905-preview", TODAY)
    assert near is not None
    known = catalogue.model("moonshot", near)
    assert known is not None
    assert known.state != "retired"


def test_the_live_list_decides_what_is_close(catalogue: Catalogue) -> None:
    assert catalogue.closest_model("kimi-code", "k3.1", TODAY, live=["k3.1-ultra", "k3"]) == "k3.1-ultra"


def test_closest_keeps_the_candidate_s_own_writing() -> None:
    assert closest("KIMI-K3", ["Kimi-K3", "other"]) == ["Kimi-K3"]
