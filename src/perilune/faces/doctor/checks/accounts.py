"""Each account, read now: by free calls, with its own key, at its own host."""

from collections.abc import Iterator
from decimal import Decimal

from perilune.core.money import Money
from perilune.faces.doctor.check import Check, Found, Status, of_problem, remedies
from perilune.faces.doctor.scene import Scene
from perilune.quota.document import AccountDocument, ErrorDocument


def _look(scene: Scene) -> Iterator[Found]:
    if scene.loaded is not None and not scene.accounts:
        yield Found(
            status="warn", detail=scene.say("doctor.accounts.none"), code="PL-ACCOUNT-NONE", fix=("perilune add",)
        )
    if scene.reading_problem is not None:
        yield of_problem(scene.reading_problem, scene.voice)
    paused = {account.name for account in scene.accounts if account.paused}
    for account in scene.readings:
        if account.name in paused:
            yield Found(status="ok", detail=scene.say("doctor.accounts.paused"), subject=account.name)
        else:
            yield _account(account, scene)
            yield from (_told(note, account.name, "warn", scene) for note in account.notes if note.code != "PL-CLOCK")


def _account(account: AccountDocument, scene: Scene) -> Found:
    if account.error is not None:
        return _told(account.error, account.name, "fail", scene)
    if account.fetched_at is None:
        return Found(status="ok", detail=scene.say("doctor.accounts.unread"), subject=account.name)
    parts = [scene.say(f"doctor.accounts.{account.source}")]
    if account.windows:
        parts.append(_windows(len(account.windows), scene))
    if account.balance is not None:
        available = account.balance.available
        money = Money(Decimal(available.amount), available.currency).shown(with_code=True)
        parts.append(scene.say("doctor.accounts.balance", money=money))
    if account.limits.concurrency is not None:
        parts.append(scene.say("doctor.accounts.concurrency", count=account.limits.concurrency))
    return Found(status="ok", detail=scene.say("doctor.comma").join(parts), subject=account.name)


def _windows(count: int, scene: Scene) -> str:
    return scene.say("doctor.accounts.window" if count == 1 else "doctor.accounts.windows", count=count)


def _told(error: ErrorDocument, name: str, status: Status, scene: Scene) -> Found:
    return Found(
        status=status,
        detail=error.message,
        subject=name,
        code=error.code,
        fix=remedies(error.code, tuple(error.fix), scene.voice),
    )


CHECK = Check(name="accounts", place=60, look=_look)
