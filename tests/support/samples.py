"""The contract samples as answers of the control client, and bindings to read them with."""

import json
import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

from perilune.core.secret import Secret
from perilune.net.control import ControlAnswer
from perilune.providers.contract.reading import Binding
from perilune.providers.contract.registry import plan

_MOMENT = re.compile(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
CONTRACTS = Path(__file__).parents[1] / "contracts"
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
KEYS = {"kimi-code": "sk-kimi-EXAMPLE0001", "moonshot": "sk-EXAMPLE00000001", "openrouter": "sk-or-EXAMPLE00001"}


def body_of(name: str) -> Any:
    return json.loads((CONTRACTS / f"{name}.json").read_text(encoding="utf-8"))["response"]["body"]


def binding(plan_id: str = "kimi-code", region: str = "cn", key: str | None = None, **more: Any) -> Binding:
    bought = plan(plan_id)
    assert bought is not None
    place = bought.region(region)
    assert place is not None
    secret = Secret(key or KEYS[plan_id])
    return Binding(account="work", plan=bought, region=place, secret=secret, salt=b"salt", **more)


def answered(bound: Binding, url: str, body: Any, status: int = 200, **headers: str) -> ControlAnswer:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return ControlAnswer(
        url=url,
        status=status,
        headers={"content-type": "application/json", **named},
        body=raw,
        took_ms=0,
        server_date=parsedate_to_datetime(headers["date"]) if "date" in headers else None,
    )


def lately(body: Any, as_of: datetime = NOW) -> Any:
    """A sample as it would be answered now: every moment in it as far from now as it was from `as_of`."""
    if isinstance(body, dict):
        return {name: lately(value, as_of) for name, value in body.items()}
    if isinstance(body, list):
        return [lately(value, as_of) for value in body]
    if isinstance(body, str) and _MOMENT.fullmatch(body):
        moment = datetime.fromisoformat(body[:19] + "+00:00")
        return (moment + (datetime.now(UTC) - as_of)).strftime("%Y-%m-%dT%H:%M:%SZ")
    return body
