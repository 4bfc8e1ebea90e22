"""What is open of an account goes by its new name."""

import json
from datetime import UTC, datetime

from perilune.store import states
from perilune.store.engine import Store
from perilune.store.states import StateRow

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


def test_open_scopes_follow_an_account_and_no_other_is_touched(store: Store) -> None:
    of_it = ["account:work", "slot:work/kimi-for-coding", "surface:work/chat"]
    of_others = ["account:works", "host:work", "group:work"]
    with store.begin() as connection:
        for scope in (*of_it, *of_others):
            document = json.dumps({"scope": scope, "reason": "busy"})
            states.save(
                connection, StateRow(scope=scope, state="open", reason="busy", since=NOW, document=document), NOW
            )
        states.rename(connection, "work", "desk")
    with store.read() as connection:
        kept = {row.scope: json.loads(row.document)["scope"] for row in states.all_states(connection)}
    assert set(kept) == {
        "account:desk", "slot:desk/kimi-for-coding", "surface:desk/chat", "account:works", "host:work", "group:work",
    }  # fmt: skip
    assert all(scope == told for scope, told in kept.items())
