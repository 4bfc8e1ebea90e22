"""The address guard: every odd spelling, every range, one bad address is enough."""

import pytest

from perilune.net.guard import Allowed, check_addresses, check_target, check_url, literal_address

NOTHING = Allowed()
ONE_OF_EACH = [
    "0.1.2.3",
    "10.0.0.1",
    "100.64.0.1",
    "100.127.255.254",
    "127.0.0.1",
    "169.254.1.1",
    "172.31.255.255",
    "192.0.0.8",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.1.1",
    "198.18.0.1",
    "198.19.255.255",
    "198.51.100.1",
    "203.0.113.9",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::ffff:10.0.0.1",
    "64:ff9b::a00:1",
    "100::1",
    "2001:db8::1",
    "fd00::1",
    "fe80::1",
    "ff02::1",
]


@pytest.mark.case("gateway GU-02")
@pytest.mark.parametrize("address", ONE_OF_EACH)
def test_each_range_is_refused_even_beside_good_addresses(address: str) -> None:
    refused = check_addresses("host.example", 443, ["93.184.216.34", address, "2606:2800::1"], NOTHING)
    assert refused is not None
    assert "/" in refused.reason
    assert refused.allow.endswith(":443")


@pytest.mark.case("gateway GU-03")
@pytest.mark.parametrize(
    "host",
    ["100.127.255.254", "[::ffff:10.0.0.1]", "198.18.0.1", "240.0.0.1", "0x7f.1", "2130706433", "127.1", "127.0.0.1."],
)
def test_odd_spellings_are_read_as_a_resolver_would(host: str) -> None:
    assert check_url(f"https://{host}/v1", NOTHING) is not None


@pytest.mark.case("gateway GU-01")
def test_plain_http_needs_to_be_listed() -> None:
    assert check_url("http://example.com/v1", NOTHING) is not None
    assert check_url("http://127.0.0.1:11434", NOTHING) is not None
    assert check_url("http://127.0.0.1:11434", Allowed.of(["127.0.0.1:11434"])) is None
    assert check_url("http://127.0.0.1:11435", Allowed.of(["127.0.0.1:11434"])) is not None
    assert check_url("http://ollama.lan:11434", Allowed.of(["ollama.lan:11434"])) is None


def test_public_addresses_pass() -> None:
    assert check_addresses("host.example", 443, ["93.184.216.34", "2606:2800:220:1::1"], NOTHING) is None
    assert check_url("https://api.example/v1", NOTHING) is None
    assert literal_address("example.com") is None
    assert literal_address("1password.com") is None


def test_a_listed_range_lets_its_addresses_through() -> None:
    allowed = Allowed.of(["10.0.0.0/8"])
    assert check_addresses("host.example", 8000, ["10.1.2.3"], allowed) is None
    assert check_addresses("host.example", 8000, ["192.168.1.1"], allowed) is not None


def test_cloud_metadata_must_be_listed_alone() -> None:
    assert check_addresses("m.example", 80, ["169.254.169.254"], Allowed.of(["169.254.0.0/16"])) is not None
    assert check_addresses("m.example", 80, ["169.254.169.254"], Allowed.of(["169.254.169.254"])) is None
    assert check_addresses("m.example", 80, ["fd00:ec2::254"], Allowed.of(["fd00::/8"])) is not None
    assert check_addresses("m.example", 80, ["169.254.169.254"], Allowed.of(["m.example"])) is not None


def test_plain_http_is_refused_at_each_connection_too() -> None:
    listed = Allowed.of(["10.0.0.0/8"])
    assert check_target("http", "host.example", 80, ["93.184.216.34"], NOTHING) is not None
    assert check_target("http", "host.example", 80, ["10.1.2.3"], listed) is None
    assert check_target("http", "host.example", 80, ["10.1.2.3", "93.184.216.34"], listed) is not None
    assert check_target("https", "host.example", 443, ["93.184.216.34"], NOTHING) is None
