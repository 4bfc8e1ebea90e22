"""Which accounts count as one."""

from perilune.compose.account_groups import group_accounts
from perilune.config.schema import AccountConfig
from perilune.core.secret import Secret
from perilune.providers.contract.holders import holder_digest


def account(name: str, **more: str) -> AccountConfig:
    return AccountConfig(name=name, plan="kimi-code", **more)  # type: ignore[arg-type]


ONE, TWO = Secret("sk-kimi-EXAMPLE1"), Secret("sk-kimi-EXAMPLE2")


def test_equal_keys_are_one_group_whatever_the_accounts_are_called() -> None:
    groups = group_accounts(
        [account("work"), account("again"), account("ci")], {"work": ONE, "again": ONE, "ci": TWO}, {}
    )
    assert groups["work"] == groups["again"] != groups["ci"]
    assert group_accounts([account("other")], {"other": ONE}, {})["other"] == groups["work"]
    assert ONE.reveal() not in groups["work"]


def test_accounts_of_one_holder_are_one_group_and_so_is_what_shares_a_key_with_them() -> None:
    accounts = [account(name) for name in ("a", "b", "c", "d")]
    secrets = {"a": ONE, "b": TWO, "c": TWO, "d": Secret("sk-kimi-EXAMPLE3")}
    groups = group_accounts(accounts, secrets, {"a": "holder", "b": "holder", "d": "somebody else", "gone": "holder"})
    assert groups["a"] == groups["b"] == groups["c"] != groups["d"]


def test_one_key_has_one_group_whether_its_holder_has_been_read_or_not() -> None:
    here = group_accounts([account("a")], {"a": ONE}, {})
    there = group_accounts([account("mine")], {"mine": ONE}, {"mine": "holder"})
    assert here["a"] == there["mine"]
    assert holder_digest("kimi-code", "u_1") == holder_digest("kimi-code", "u_1") != holder_digest("moonshot", "u_1")
    assert "u_1" not in holder_digest("kimi-code", "u_1")


def test_two_holders_tied_by_a_key_are_one() -> None:
    accounts = [account(name) for name in ("a", "b", "c")]
    secrets = {"a": ONE, "b": ONE, "c": TWO}
    for one, other in (("first", "second"), ("second", "first")):
        groups = group_accounts(accounts, secrets, {"a": one, "b": other, "c": other})
        assert len(set(groups.values())) == 1


def test_an_account_without_a_key_stands_alone_at_its_place() -> None:
    here, there = account("own", base_url="http://127.0.0.1:1"), account("own", base_url="http://127.0.0.1:2")
    assert group_accounts([here], {}, {}) != group_accounts([there], {}, {})
