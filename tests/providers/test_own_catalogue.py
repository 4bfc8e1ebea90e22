"""A provider may bring models and prices of its own."""

from pathlib import Path

import pytest

from perilune.catalog.load import load
from perilune.catalog.plan import Plan
from perilune.providers.contract.own_catalogue import own_documents
from perilune.providers.contract.registry import Provider, providers


def test_a_folder_s_models_reach_the_catalogue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "tiny_vendor"
    folder.mkdir()
    (folder / "__init__.py").touch()
    (folder / "models.toml").write_text('[[model]]\nid = "tiny-1"\nplans = ["tiny"]\ncontext = 8000\n')
    monkeypatch.syspath_prepend(str(tmp_path))
    documents = own_documents([Provider(Plan(id="tiny", label="Tiny"), "tiny_vendor")])
    assert [document.name for document in documents] == ["tiny_vendor/models.toml"]
    model = load(documents).model("tiny", "tiny-1")
    assert model is not None
    assert model.context == 8000


def test_every_shipped_provider_s_documents_can_be_used() -> None:
    assert load(own_documents(providers().values())).prices
