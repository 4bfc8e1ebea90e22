"""The login that the vendor's own command line keeps on this machine, read and never used up.

Files are opened for reading only; nothing is locked, written or copied, and the refresh token in them is not touched.
Source: `credentials/<slot>.json` and `config.toml` in `KIMI_CODE_HOME` or `~/.kimi-code`; for the older program
`credentials/kimi-code.json` in `KIMI_SHARE_DIR` or `~/.kimi`.
"""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from perilune.catalog.plan import Plan, Region
from perilune.core.addresses import host_of
from perilune.core.errors import CredentialError, PeriluneError, Problem
from perilune.core.keys import has_key_shape
from perilune.core.secret import Secret
from perilune.providers.contract.reading import Binding
from perilune.providers.contract.sources import Surroundings
from perilune.providers.kimi_code.login_file import LoginFile, read_login
from perilune.providers.kimi_code.login_slot import Slot, named_slot, official, region_marked

_OVERRIDES = ("KIMI_CODE_BASE_URL", "KIMI_CODE_OAUTH_HOST", "KIMI_OAUTH_HOST")
_OLDER_SLOT = "kimi-code"
_OLDER_REGION = "cn"
Look = Callable[[Plan, Surroundings, str], tuple[Slot, LoginFile]]


def bind_login(account: str, plan: Plan, region: Region, around: Surroundings) -> Binding:
    """The vendor CLI's login as the credential of an account, when it is of the account's region and still valid.

    Raises: PL-LOGIN-NONE, -EXPIRED, -KEYRING, -FOREIGN, -UNREADABLE; PL-401-HOST for a login of another region.
    """
    slot, login = find_login(plan, around, region.id, account)
    if slot.region != region.id:
        own = plan.region(slot.region)
        raise _problem(
            "PL-401-HOST", account, variant="login", host=region.site, bound=own.site if own else slot.region
        )
    return Binding(
        account=account,
        plan=plan,
        region=region,
        secret=_usable(login, around.now, account, slot.file),
        source="cli-login",
        salt=around.salt,
    )


def find_login(plan: Plan, around: Surroundings, region: str = "", account: str = "") -> tuple[Slot, LoginFile]:
    """The login that counts: the newer program's before the older one's, one still valid before one that is not.

    Raises: PL-LOGIN-NONE, -KEYRING, -FOREIGN, -UNREADABLE.
    """
    _demand_no_override(plan, around, account)
    seen = [_seen(look, plan, around, account) for look in (_newer, _older)]
    found = [one for one in seen if isinstance(one, tuple)]
    fresh = [one for one in found if one[1].is_fresh(around.now)]
    if fresh:
        return min(fresh, key=lambda one: one[0].region != region)
    told = next((one for one in seen if isinstance(one, tuple) or one.problem.code != "PL-LOGIN-NONE"), seen[0])
    if isinstance(told, tuple):
        return told
    raise told


def _seen(look: Look, plan: Plan, around: Surroundings, account: str) -> tuple[Slot, LoginFile] | CredentialError:
    try:
        return look(plan, around, account)
    except CredentialError as error:
        return error


def _newer(plan: Plan, around: Surroundings, account: str) -> tuple[Slot, LoginFile]:
    home = Path(around.environment.get("KIMI_CODE_HOME") or around.home / ".kimi-code")
    marked = region_marked(home, plan, around.environment)
    try:
        slot = named_slot(home, plan, around.upstream, marked)
    except CredentialError as error:
        raise _problem(error.problem.code, account, variant=error.problem.variant) from None
    return slot, read_login(slot.file, account)


def _older(plan: Plan, around: Surroundings, account: str) -> tuple[Slot, LoginFile]:
    home = Path(around.environment.get("KIMI_SHARE_DIR") or around.home / ".kimi")
    slot = Slot(_OLDER_REGION, home / "credentials" / f"{_OLDER_SLOT}.json")
    return slot, read_login(slot.file, account)


def _demand_no_override(plan: Plan, around: Surroundings, account: str) -> None:
    """A login is never sent to an address that a variable puts in the place of the official one."""
    for name in _OVERRIDES:
        address = around.environment.get(name, "").strip()
        if address and official(address, plan, around.upstream) is None:
            raise _problem("PL-LOGIN-FOREIGN", account, variant="override", name=name)


def _usable(login: LoginFile, now: datetime, account: str, file: Path) -> Secret:
    token = Secret(login.access_token)
    if not login.is_fresh(now):
        expires_at = login.expires_at
        if not login.access_token or expires_at is None:
            raise _problem("PL-LOGIN-EXPIRED", account, variant="unusable")
        variant = "" if expires_at <= now else "ending"
        raise _problem("PL-LOGIN-EXPIRED", account, variant=variant, expired_at=expires_at)
    if not has_key_shape(login.access_token):
        raise _problem("PL-LOGIN-UNREADABLE", account, file=str(file))
    return token


def refused_login(account: str, url: str) -> PeriluneError:
    """A login that looked valid and was refused."""
    return _problem("PL-LOGIN-EXPIRED", account, variant="refused", host=host_of(url))


def _problem(code: str, account: str, *, variant: str = "", **facts: object) -> CredentialError:
    return CredentialError(Problem(code=code, variant=variant, facts=facts, account=account or None))
