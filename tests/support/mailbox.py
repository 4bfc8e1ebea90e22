"""A small SMTP server on loopback that keeps the mails it takes, in clear, with STARTTLS or with TLS."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

Tls = Literal["starttls", "tls", "none"]


@dataclass
class Mailbox:
    tls: Tls
    context: ssl.SSLContext | None
    port: int = 0
    mails: list[str] = field(default_factory=list)
    senders: list[str] = field(default_factory=list)
    receivers: list[str] = field(default_factory=list)
    logins: list[str] = field(default_factory=list)
    was_encrypted: list[bool] = field(default_factory=list)
    refusal: str | None = None

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            await self.talk(reader, writer)
        writer.close()

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        is_encrypted = self.tls == "tls"

        async def say(*lines: str) -> None:
            writer.write("".join(f"{line}\r\n" for line in lines).encode())
            await writer.drain()

        await say("220 loopback")
        while line := (await reader.readline()).decode().strip():
            verb = line[:4].upper()
            if verb in ("EHLO", "HELO"):
                await say("250-loopback", *(["250-STARTTLS"] if self.tls == "starttls" else []), "250 AUTH PLAIN")
            elif verb == "STAR" and self.context is not None:
                await say("220 go on")
                await writer.start_tls(self.context)
                is_encrypted = True
            elif verb == "AUTH":
                self.logins.append(line)
                await say("235 welcome")
            elif verb == "MAIL":
                self.senders.append(line)
                await say("250 ok")
            elif verb == "RCPT":
                self.receivers.append(line)
                await say(self.refusal or "250 ok")
            elif verb == "DATA":
                await say("354 end with a dot")
                text = (await reader.readuntil(b"\r\n.\r\n")).decode()
                self.mails.append(text.replace("\r\n", "\n"))
                self.was_encrypted.append(is_encrypted)
                await say("250 taken")
            elif verb == "QUIT":
                await say("221 bye")
                return
            else:
                await say("250 ok")


@contextlib.asynccontextmanager
async def mailbox(tls: Tls, folder: Path) -> AsyncIterator[Mailbox]:
    """Takes mail on a free port; `folder` gets the certificate as `mail.pem`."""
    context = None if tls == "none" else server_context(folder)
    box = Mailbox(tls, context)
    server = await asyncio.start_server(box.serve, "127.0.0.1", 0, ssl=context if tls == "tls" else None)
    box.port = server.sockets[0].getsockname()[1]
    try:
        yield box
    finally:
        server.close()


def server_context(folder: Path) -> ssl.SSLContext:
    """A certificate for `localhost` that vouches for itself; `mail.pem` in the folder."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / "mail.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "mail.key").write_bytes(secret)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "mail.pem", folder / "mail.key")
    return context
