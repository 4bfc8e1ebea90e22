"""From a paste to a saved account: cleaned, compared with what is there, tried, kept."""

from msgspec import Struct

from perilune.config.schema import AccountConfig
from perilune.faces.adding.audience import Audience
from perilune.faces.adding.detecting import Found, find_home
from perilune.faces.adding.saving import check_name, duplicate_of, free_name, save_account
from perilune.faces.adding.services import AddServices, Choices
from perilune.providers.contract.paste import Pasted, clean_paste


class Saved(Struct, frozen=True, kw_only=True):
    """The account a paste became. `found` is None where the key was saved before; then nothing was written."""

    account: AccountConfig
    pasted: Pasted
    found: Found | None


def save_paste(
    text: str, choices: Choices, services: AddServices, audience: Audience, *, reference: str | None = None
) -> Saved:
    """Clean a paste, try its key and save its account with what the accepting host said.

    Raises: PL-401-SHAPE, PL-ADD-MANY, PL-ACCOUNT-NAME, and what `find_home` raises; then nothing is saved.
    """
    return save_key(clean_paste(text), choices, services, audience, reference=reference)


def save_key(
    pasted: Pasted, choices: Choices, services: AddServices, audience: Audience, *, reference: str | None = None
) -> Saved:
    """As `save_paste`, for a paste that was cleaned already."""
    accounts = services.configuration().config.accounts
    known = duplicate_of(pasted.secret, services)
    if known is not None:
        return Saved(account=next(one for one in accounts if one.name == known), pasted=pasted, found=None)
    taken = [account.name for account in accounts]
    if choices.name is not None:
        check_name(choices.name, taken)
    found = find_home(pasted, choices, services, audience)
    name = free_name(choices.name, found.plan.id, taken)

    def keep_reading() -> None:
        """A running service reads an account as soon as it sees one; it is not to ask what has just been answered."""
        if found.probed is not None:
            services.keep_reading(name, pasted.secret, found.probed)

    account = save_account(
        services,
        name=name,
        plan=found.plan,
        region=found.region.id if found.region else choices.region or "",
        secret=pasted.secret,
        reference=reference,
        base_url=found.base_url,
        before=keep_reading,
    )
    return Saved(account=account, pasted=pasted, found=found)
