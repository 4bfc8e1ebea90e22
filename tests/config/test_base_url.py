"""Addresses that a user wrote."""

import pytest

from perilune.config.base_url import check_base_url, repaired_base_url
from perilune.core.errors import ConfigError
from perilune.core.messages import Voice


def _refused(text: str) -> tuple[str, dict[str, object]]:
    with pytest.raises(ConfigError) as caught:
        check_base_url(text, place="base_url")
    assert caught.value.problem.code == "PL-CONFIG-BASEURL"
    assert "pw" not in Voice().explain(caught.value.problem).what
    return caught.value.problem.variant, dict(caught.value.problem.facts)


@pytest.mark.case("gateway BU-01", "gateway BU-02")
@pytest.mark.parametrize(
    ("text", "repaired"),
    [
        ("https://api.groq.com/openai/v1/chat/completions", "https://api.groq.com/openai/v1"),
        ("https://api.moonshot.ai/anthropic/v1/messages", "https://api.moonshot.ai/anthropic"),
        ("https://h.example/v1/Responses/", "https://h.example/v1"),
        ("https://h.example/completions", "https://h.example"),
        ("https://h.example/v1/v1", "https://h.example/v1"),
    ],
)
def test_an_endpoint_at_the_end_is_refused_with_the_repaired_address(text: str, repaired: str) -> None:
    variant, facts = _refused(text)
    assert (variant, facts["repaired"]) == ("ending", repaired)


@pytest.mark.case("gateway BU-03", "gateway BU-05")
@pytest.mark.parametrize(
    "text",
    [
        "https://h.example/v1/",
        "https://h.example",
        "https://h.example/completions/v1",
        "https://[2001:db8::1]:8443/x",
        "http://127.0.0.1:9009/x",
        "http://localhost:11434/v1",
        "http://[::1]:1/v1",
    ],
)
def test_healthy_addresses_stay_byte_identical(text: str) -> None:
    assert check_base_url(text, place="base_url") == text


@pytest.mark.case("gateway BU-04")
def test_a_repair_keeps_scheme_host_and_port() -> None:
    assert repaired_base_url("https://h:8443/v1/chat/completions/") == "https://h:8443/v1"


@pytest.mark.case("gateway BU-06")
@pytest.mark.parametrize(
    ("text", "variant"),
    [
        ("https://user:pw@api.moonshot.ai/v1", "user"),
        ("https://api.moonshot.ai/v1?x=1", "query"),
        ("https://api.moonshot.ai/v1#y", "query"),
    ],
)
def test_hiding_places_are_refused(text: str, variant: str) -> None:
    assert _refused(text)[0] == variant


@pytest.mark.case("gateway BU-08")
@pytest.mark.parametrize(
    "text", ["", "   ", "not a url", "https://", "https://[::1", "ftp://h/x", "http://h.example/v1"]
)
def test_what_is_no_address_is_refused_without_a_guess(text: str) -> None:
    assert _refused(text)[0] != "ending"


def test_plain_http_is_taken_where_the_allow_list_says_so() -> None:
    allowed = ["ollama.lan:11434", "10.0.0.0/8"]
    assert check_base_url("http://ollama.lan:11434/v1", place="x", allow_private=allowed)
    assert check_base_url("http://10.1.2.3:8000/v1", place="x", allow_private=allowed)
    with pytest.raises(ConfigError):
        check_base_url("http://192.168.1.1/v1", place="x", allow_private=allowed)
