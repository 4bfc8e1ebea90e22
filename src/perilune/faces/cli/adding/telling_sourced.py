"""What is said when an account that is read by a login or a web session was added."""

from msgspec import Struct

from perilune.faces.adding.services import AddServices
from perilune.faces.adding.telling import result_line, wrapped_result
from perilune.faces.cli.session import Session
from perilune.providers.contract.reading import Binding
from perilune.quota.snapshot import Snapshot


class Added(Struct, frozen=True):
    """A new account, the credential it is read by, and what was read."""

    name: str
    binding: Binding
    snapshot: Snapshot | None


def tell_added(added: Added, session: Session, *, as_json: bool) -> None:
    """The result in one line, the name, and what comes next; the document where JSON was asked for."""
    from perilune.faces.cli.add import AddedAccount, AddReport

    binding, snapshot = added.binding, added.snapshot
    if as_json:
        account = AddedAccount(
            name=added.name,
            plan=binding.plan.id,
            region=binding.region.id,
            plan_title=snapshot.plan_title if snapshot else None,
            source=binding.source,
            key=binding.secret.masked(),
            is_new=True,
        )
        took_ms = snapshot.took_ms if snapshot else None
        probe = {"host": binding.host, "verdict": "accepted", "status": 200, "ms": took_ms}
        session.document(AddReport(account=account, probes=[probe] if snapshot else [], removed=[], warnings=[]))
        return
    mark = session.out.paint("✓" if snapshot else "!", "ok" if snapshot else "high")
    for text in wrapped_result(
        result_line(binding.plan, binding.region, snapshot, session.voice), mark, session.out.columns
    ):
        session.answer(text)
    if snapshot is None:
        session.answer("  " + session.voice.say("add.not_tried"))
    session.answer("  " + session.voice.say("add.saved", name=added.name))
    session.answer("  " + session.voice.say(f"add.reads_{binding.source.replace('-', '_')}"))


def tell_known(name: str, services: AddServices, session: Session, *, as_json: bool) -> int:
    """That the credential is saved already; nothing was written."""
    from perilune.faces.cli.add import AddedAccount, AddReport

    known = next(one for one in services.configuration().config.accounts if one.name == name)
    if as_json:
        account = AddedAccount(
            name=name,
            plan=known.plan,
            region=known.region,
            plan_title=None,
            source=known.source,
            key="…",
            is_new=False,
        )
        session.document(AddReport(account=account, probes=[], removed=[], warnings=["PL-ADD-DUPLICATE"]))
    else:
        session.answer(session.voice.say("add.duplicate", name=name))
    return 0
