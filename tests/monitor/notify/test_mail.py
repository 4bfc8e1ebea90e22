"""E-mail by SMTP: encrypted, one Message-ID per event."""

from email import message_from_string, policy
from pathlib import Path
from typing import Literal

import pytest
from tests.monitor.notify.conftest import MESSAGE, Send
from tests.support.mailbox import mailbox


@pytest.mark.parametrize("tls", ["starttls", "tls"])
async def test_a_mail_goes_encrypted_with_the_id_of_its_event(
    tls: Literal["starttls", "tls"], tmp_path: Path, send: Send, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with mailbox(tls, tmp_path) as box:
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "mail.pem"))
        receipt = await send(
            "email",
            server=f"localhost:{box.port}",
            allowed="localhost",
            tls=tls,
            sender="perilune@example.org",
            to=("me@example.org", "you@example.org"),
            user="me",
            secrets={"key": "pass word EXAMPLE"},
        )
    assert (receipt.is_taken, receipt.words) == (True, "250")
    assert box.was_encrypted == [True]
    assert len(box.logins) == 1
    assert len(box.receivers) == 2
    mail = message_from_string(box.mails[0], policy=policy.default)
    assert mail["Message-ID"] == f"<{MESSAGE.id}@example.org>"
    assert (mail["From"], mail["Subject"]) == ("perilune@example.org", f"Perilune: {MESSAGE.text}")
    assert mail.get_content_type() == "text/plain"
    assert MESSAGE.text in mail.get_content()


async def test_a_server_without_encryption_gets_nothing(tmp_path: Path, send: Send) -> None:
    async with mailbox("none", tmp_path) as box:
        fields = {
            "server": f"localhost:{box.port}",
            "allowed": "localhost",
            "sender": "p@example.org",
            "to": ("m@x.org",),
        }
        receipt = await send("email", **fields)
        assert not receipt.is_taken
        assert box.senders == []
        assert (await send("email", tls="none", **fields)).is_taken
    assert box.logins == []


async def test_a_certificate_that_nobody_vouches_for_is_not_trusted(tmp_path: Path, send: Send) -> None:
    async with mailbox("tls", tmp_path) as box:
        receipt = await send(
            "email", server=f"localhost:{box.port}", allowed="localhost", tls="tls", sender="p@x.org", to=("m@x.org",)
        )
    assert (receipt.is_taken, receipt.words) == (False, "PL-NET-TLS")
    assert box.mails == []


async def test_a_refused_receiver_is_said_with_the_servers_words(tmp_path: Path, send: Send) -> None:
    async with mailbox("none", tmp_path) as box:
        box.refusal = "550 no such mailbox"
        fields = {"server": f"localhost:{box.port}", "allowed": "localhost", "sender": "p@x.org", "to": ("m@x.org",)}
        receipt = await send("email", tls="none", **fields)
    assert (receipt.is_taken, receipt.words) == (False, "550 no such mailbox")


async def test_a_mail_server_inside_is_not_called_unless_it_is_listed(tmp_path: Path, send: Send) -> None:
    async with mailbox("none", tmp_path) as box:
        receipt = await send(
            "email", server=f"localhost:{box.port}", allowed="", tls="none", sender="p@x.org", to=("m@x.org",)
        )
    assert not receipt.is_taken
    assert "gateway.allow_private" in receipt.words
    assert box.senders == []
