"""Looking through profiles one after another; each store is opened only when the one before it did not serve."""

from collections.abc import Iterable, Iterator, Mapping

from perilune.browsers import chromium, firefox, safari
from perilune.browsers.chromium_keys import keyring_asker
from perilune.browsers.stored import Profile, StoreReading, Wanted


def search(
    profiles: Iterable[Profile], wanted: Wanted, environment: Mapping[str, str], *, container: str | None = None
) -> Iterator[tuple[Profile, StoreReading]]:
    """What each profile holds, in their order."""
    ask = keyring_asker(environment)
    for profile in profiles:
        if profile.family == "firefox":
            yield profile, firefox.read_profile(profile, wanted, container)
        elif profile.family == "safari":
            yield profile, safari.read_profile(profile, wanted)
        else:
            yield profile, chromium.read_profile(profile, wanted, ask)
