import pytest

from perilune.core.addresses import base_url_fault, host_of, is_loopback, origin_of


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("https://proxy.example.com/kimi", None),
        ("https://proxy.example.com:8443", None),
        ("https://[::1]:8443/x", None),
        ("http://127.0.0.1:9009/x", None),
        ("http://localhost/x", None),
        ("not a url", "characters"),
        ("https://a\tb/", "characters"),
        ("https://a.example/?q=1", "characters"),
        ("http://proxy.example.com", "scheme"),
        ("ftp://proxy.example.com", "scheme"),
        ("proxy.example.com", "host"),
        ("https://api.kimi%2ecom/", "host"),
        ("https://[::1", "host"),
        ("https://[zz]/", "host"),
        ("https://a.example:99999/", "host"),
        ("https://api.kimi.com@proxy.example/kimi", "user"),
    ],
)
def test_only_an_address_that_can_carry_a_credential_has_no_fault(text: str, fault: str | None) -> None:
    assert base_url_fault(text) == fault


def test_hosts_are_compared_without_case_and_own_ports() -> None:
    assert host_of("HTTPS://API.Kimi.com:443/x") == "api.kimi.com"
    assert host_of("https://u@[::1]:8443/") == "[::1]:8443"
    assert origin_of("http://Example.com:80/a") == "http://example.com"


@pytest.mark.parametrize(
    ("host", "ours"), [("127.8.9.1", True), ("[::1]", True), ("10.0.0.1", False), ("lo.example", False)]
)
def test_loopback_is_known_without_looking_names_up(host: str, ours: bool) -> None:
    assert is_loopback(host) is ours
