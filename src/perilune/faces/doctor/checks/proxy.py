"""Proxies and certificates that the environment names."""

from collections.abc import Iterator
from pathlib import Path

from perilune.faces.doctor.check import Check, Found
from perilune.faces.doctor.scene import Scene

_PROXIES = ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy")
_CERTIFICATES = ("SSL_CERT_FILE", "SSL_CERT_DIR")


def _look(scene: Scene) -> Iterator[Found]:
    environment = scene.environment
    proxy = next((name for name in _PROXIES if environment.get(name)), None)
    if proxy is not None:
        told = scene.say("doctor.proxy.ok", name=proxy, address=_without_user(environment[proxy]))
        yield Found(status="ok", detail=told)
    for name in _CERTIFICATES:
        value = environment.get(name)
        if value and not Path(value).exists():
            told = scene.say("doctor.proxy.no_certificate", name=name, file=value)
            yield Found(status="fail", detail=told, fix=(f"unset {name}",))
        elif value:
            yield Found(status="ok", detail=scene.say("doctor.proxy.certificate", name=name, file=value))


def _without_user(address: str) -> str:
    scheme, mark, rest = address.rpartition("://")
    return f"{scheme}{mark}{rest.rpartition('@')[2]}"


CHECK = Check(name="proxy", place=45, look=_look)
