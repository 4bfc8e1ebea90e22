"""What the vendors' own lists say of models counts beside and over the catalogue."""

from datetime import UTC, datetime

from perilune.catalog.load import Document, load
from perilune.compose.board import Board
from perilune.core.live_models import LiveModel
from perilune.quota.held import Held
from perilune.quota.snapshot import Snapshot

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def board(*live: LiveModel) -> Board:
    found = Board({}, load(), keep=lambda account, refusal: None, nudge=lambda account: None)
    reading = Snapshot(
        account="work", plan="kimi-code", region="cn", source="api-key", fetched_at=NOW,
        models=tuple(model.id for model in live), live_models=live,
    )  # fmt: skip
    found.load({"work": Held(snapshot=reading)}, NOW)
    return found


def test_the_list_of_an_account_corrects_the_shipped_row_for_that_account_alone() -> None:
    found = board(LiveModel(id="k3", context=500_000, thinking="only", efforts=("low", "max"), supports_image=False))
    traits = found.traits("work", "kimi-code", "k3")
    assert traits is not None
    assert (traits.context, traits.thinking, traits.efforts, "image" in traits.inputs) == (
        500_000, "only", ("low", "max"), False,
    )  # fmt: skip
    assert traits.sampling == "fixed"
    before = found.traits("work", "kimi-code", "k3")
    found.load(found._held, NOW)
    assert found.traits("work", "kimi-code", "k3") is before  # prepared plans go by the object
    assert found.traits("other", "kimi-code", "k3") == load().model("kimi-code", "k3")


def test_a_model_that_only_the_list_knows_has_its_window_and_nothing_invented() -> None:
    traits = board(LiveModel(id="k9", context=2_000_000)).traits("work", "kimi-code", "k9")
    assert traits is not None
    assert (traits.context, traits.thinking, traits.sampling) == (2_000_000, "none", "free")
    assert board().traits("work", "kimi-code", "k9") is None


def test_a_row_that_the_user_wrote_stays_as_written() -> None:
    catalogue = load(override=Document("mine", '[[model]]\nid = "k3"\nplans = ["kimi-code"]\ncontext = 100000\n'))
    found = Board({}, catalogue, keep=lambda account, refusal: None, nudge=lambda account: None)
    live = (LiveModel(id="k3", context=500_000),)
    reading = Snapshot(
        account="work", plan="kimi-code", region="cn", source="api-key", fetched_at=NOW, live_models=live
    )
    found.load({"work": Held(snapshot=reading)}, NOW)
    traits = found.traits("work", "kimi-code", "k3")
    assert traits is not None
    assert traits.context == 100_000
