"""Who signed the certificate a host shows. Nothing is sent but a TLS hello; used only to explain a refusal."""

import asyncio
import ssl


async def issuer_seen(host: str, port: int, timeout_s: float = 2) -> str | None:
    """The common or organisation name of the issuer of the certificate shown, None when it cannot be seen."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        async with asyncio.timeout(timeout_s):
            _, writer = await asyncio.open_connection(host, port, ssl=context, server_hostname=host)
    except (OSError, TimeoutError, ssl.SSLError):
        return None
    shown: bytes | None = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    writer.close()
    return None if shown is None else _issuer(shown)


def _issuer(certificate: bytes) -> str | None:
    from cryptography import x509
    from cryptography.x509.oid import NameOID

    try:
        issuer = x509.load_der_x509_certificate(certificate).issuer
    except ValueError:
        return None
    for name in (NameOID.COMMON_NAME, NameOID.ORGANIZATION_NAME):
        for attribute in issuer.get_attributes_for_oid(name):
            return str(attribute.value)
    return None
