"""E-mail: plain text by SMTP with STARTTLS or TLS, one Message-ID per event. Success is 250."""

import asyncio
import smtplib
import ssl
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Literal

from msgspec import Struct

from perilune.core.redact import vendor_words
from perilune.core.secret import Secret
from perilune.monitor.notify.port import Message, Receipt
from perilune.monitor.notify.posting import place_of
from perilune.net.guard import Allowed

_TIMEOUT_S = 10
_SUBJECT = 78
_PORTS = {"starttls": 587, "tls": 465, "none": 25}


class MailServer(Struct, frozen=True, kw_only=True):
    """Where mail is handed in. `none` sends in clear, to this computer or what the user listed."""

    host: str
    port: int
    tls: Literal["starttls", "tls", "none"]
    user: str | None = None
    password: Secret | None = None

    @classmethod
    def of(
        cls, server: str, tls: Literal["starttls", "tls", "none"], user: str | None, password: Secret | None
    ) -> "MailServer":
        """Read `HOST` or `HOST:PORT`."""
        host, colon, port = server.rpartition(":")
        is_numbered = bool(colon) and port.isdigit()
        return cls(
            host=host if is_numbered else server,
            port=int(port) if is_numbered else _PORTS[tls],
            tls=tls,
            user=user,
            password=password,
        )


class Mail:
    """One sender and its receivers."""

    def __init__(self, server: MailServer, allowed: Allowed, sender: str, to: tuple[str, ...]) -> None:
        self._server = server
        self._allowed = allowed
        self._sender = sender
        self._to = to

    async def send(self, message: Message) -> Receipt:
        """Hand one mail in."""
        scheme = "http" if self._server.tls == "none" else "https"
        place = await place_of(self._server.host, self._server.port, self._allowed, scheme)
        if place.objection is not None:
            return Receipt(is_taken=False, words=place.objection)
        mail = written(message, self._sender, self._to)
        try:
            return await asyncio.to_thread(_handed_in, self._server, mail)
        except smtplib.SMTPResponseException as error:
            said = error.smtp_error.decode("utf-8", "replace") if isinstance(error.smtp_error, bytes) else ""
            return Receipt(is_taken=False, words=vendor_words(f"{error.smtp_code} {said}".strip()))
        except smtplib.SMTPRecipientsRefused as error:
            refusal, answer = next(iter(error.recipients.values()))
            return Receipt(is_taken=False, words=vendor_words(f"{refusal} {answer.decode('utf-8', 'replace')}"))
        except ssl.SSLError:
            return Receipt(is_taken=False, words="PL-NET-TLS")
        except TimeoutError:
            return Receipt(is_taken=False, words="PL-NET-TIMEOUT")
        except smtplib.SMTPException as error:
            return Receipt(is_taken=False, words=type(error).__name__)
        except OSError:
            return Receipt(is_taken=False, words="PL-NET-REFUSED")


def written(message: Message, sender: str, to: tuple[str, ...]) -> EmailMessage:
    """The mail of a message."""
    mail = EmailMessage()
    subject = f"{message.title}: {message.text}"
    mail["Subject"] = subject if len(subject) <= _SUBJECT else subject[: _SUBJECT - 1] + "…"
    mail["From"] = sender
    mail["To"] = ", ".join(to)
    mail["Date"] = format_datetime(message.at)
    mail["Message-ID"] = f"<{message.id}@{sender.rpartition('@')[2].strip('> ') or 'perilune'}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(message.text + (f"\n\n{message.click}" if message.click else "") + "\n")
    return mail


def _handed_in(server: MailServer, mail: EmailMessage) -> Receipt:
    context = ssl.create_default_context()
    opened = (
        smtplib.SMTP_SSL(server.host, server.port, timeout=_TIMEOUT_S, context=context)
        if server.tls == "tls"
        else smtplib.SMTP(server.host, server.port, timeout=_TIMEOUT_S)
    )
    with opened as session:
        if server.tls == "starttls":
            session.starttls(context=context)
        if server.user is not None and server.password is not None:
            session.login(server.user, server.password.reveal())
        session.send_message(mail)
    return Receipt(is_taken=True, words="250")
