"""The sandbox over TLS: nothing wrong, or one thing, as a plain client sees it."""

import http.client
import ssl

import pytest

from perilune.sandbox import running_sandbox
from perilune.sandbox.http.certificates import Tls

# Together with its neighbours this file shows every behaviour of the played vendors, each with a plain client.
pytestmark = pytest.mark.case("gateway SB-02")

WORDS = {
    Tls.WRONG_NAME: "IP address mismatch",
    Tls.EXPIRED: "certificate has expired",
    Tls.UNKNOWN_AUTHORITY: "self-signed certificate in certificate chain",
}


def ask(url: str, authority: str) -> tuple[int, bytes]:
    trusting = ssl.create_default_context(cadata=authority)
    connection = http.client.HTTPSConnection(url.removeprefix("https://"), context=trusting, timeout=10)
    try:
        connection.request("GET", "/api.moonshot.ai/v1/models", headers={"authorization": "Bearer none"})
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def test_a_good_certificate_is_taken() -> None:
    with running_sandbox("pong", tls=Tls.GOOD) as sandbox:
        status, body = ask(sandbox.url, sandbox.authority)
        assert status == 401
        assert b"error" in body


@pytest.mark.parametrize("kind", list(WORDS))
def test_each_wrong_one_is_refused_for_its_own_reason(kind: Tls) -> None:
    with running_sandbox("pong", tls=kind) as sandbox:
        with pytest.raises(ssl.SSLCertVerificationError, match=WORDS[kind]):
            ask(sandbox.url, sandbox.authority)
        assert sandbox.world.requests() == []
