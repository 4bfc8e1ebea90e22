"""Our reports against the schemas of the formats."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from tests.patches.shapes import Repo
from tests.review.scripted import ScriptedAnswerer, finding, findings, review

from perilune.review.outputs.code_quality import code_quality
from perilune.review.outputs.rdjson import rdjson
from perilune.review.outputs.sarif import sarif
from perilune.review.result import ReviewResult

SCHEMAS = Path(__file__).parent / "schemas"


def schema(name: str) -> dict[str, Any]:
    document = json.loads((SCHEMAS / f"{name}.json").read_text())
    assert isinstance(document, dict)
    return document


async def reports(cart: Repo) -> ReviewResult:
    """A review with every sort of finding: on a line, over lines, removed, of a file, with a fix, in an odd path."""
    cart.write("odd name,100%:ü.py", "value = compute(1)\nother = compute(2)\nvalue = compute(1)\n")
    cart.write("logo.png", b"\x89PNG\x00")
    mean = "        return total / len(self.items)"
    said = [
        finding("src/cart.py", mean, severity="critical", category="security"),
        finding(
            "src/cart.py",
            "        total = self.total()",
            title="Totals twice",
            suggestion={
                "replace_quote": "        total = self.total()",
                "replacement": "        total = sum(self.items)",
            },
        ),
        finding("src/cart.py", "        found.append(str(cart))", title="Was better", severity="low"),
        finding(
            "odd name,100%:ü.py", "value = compute(1)\nother = compute(2)", title="Both, always: 100%", severity="nit"
        ),
        finding("src/cart.py", "class Cart:", title="A rule", category="rule", rule="No carts!"),
        finding(
            "odd name,100%:ü.py", "other = compute(2)", title="Remove the unused line", category="tests",
            suggestion={"replace_quote": "other = compute(2)", "replacement": ""},
        ),
    ]  # fmt: skip
    result = await review(cart, ScriptedAnswerer(findings(*said)), user={"severity": "nit"})
    assert len(result.inline) >= 4
    assert any(found.suggestion is not None for found in result.inline)
    return result


@pytest.mark.case("review R18.1")
async def test_every_report_holds_to_the_schema_of_its_format(cart: Repo) -> None:
    result = await reports(cart)
    for name, document in (
        ("sarif-2.1.0", sarif(result)),
        ("rdjson", rdjson(result)),
        ("code-quality", code_quality(result)),
    ):
        validator = jsonschema.validators.validator_for(schema(name))(schema(name))
        assert [error.message for error in validator.iter_errors(json.loads(json.dumps(document)))] == []
    prints = [entry["fingerprint"] for entry in code_quality(result)]
    assert len(prints) == len(set(prints))


def test_the_schemas_refuse_what_is_wrong() -> None:
    for name, document in (
        ("sarif-2.1.0", {"version": "2.0.0", "runs": []}),
        ("rdjson", {"diagnostics": [{}]}),
        ("code-quality", [{}]),
    ):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(document, schema(name))
