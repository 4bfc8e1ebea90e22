"""Webhooks: signed as the played forges sign, taken once, turned into jobs."""

import json
import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx2
import msgspec
import pytest
from starlette.applications import Starlette
from tests.support.forges import NOW

from perilune.compose.hook_desk import WebhookDesk
from perilune.compose.workbench import Workbench
from perilune.faces.api.hooks import LARGEST_BODY, HookAnswer, hook_routes
from perilune.review.commands import Verb
from perilune.review.trigger import PullJob
from perilune.sandbox.clock import Clock
from perilune.sandbox.forge import Forge, Pull, Repository
from perilune.sandbox.forge.git import BareRepository
from perilune.sandbox.forge.hooks import Hook, Sent, comment_payload, pull_payload, signed
from perilune.sandbox.forge.state import DIALECTS
from perilune.store.engine import Store, open_store
from perilune.store.jobs import Jobs

CONFIG = """
schema = 1

[[forges]]
name = "hub"
forge = "github"
webhook_secret = "env:HUB_SECRET"

[[forges]]
name = "lab"
forge = "gitlab"
webhook_secret = "env:LAB_SECRET"
webhook_signing_token = "env:LAB_SIGNING"

[[forges]]
name = "tea"
forge = "gitea"
webhook_secret = "env:TEA_SECRET"
"""
SECRETS = {
    "HUB_SECRET": "hub-secret-EXAMPLE",
    "LAB_SECRET": "lab-secret-EXAMPLE",
    "LAB_SIGNING": "whsec_bGFiLXNpZ25pbmctRVhBTVBMRQ==",
    "TEA_SECRET": "tea-secret-EXAMPLE",
}
SHARED = {"github": "HUB_SECRET", "gitlab": "LAB_SECRET", "gitea": "TEA_SECRET"}


class Bench(Workbench):
    """A workbench whose clock is given."""

    moment = NOW

    def now(self):
        return self.moment


class Place:
    """One played forge and the desk its hooks lead to."""

    def __init__(self, dialect: str, folder: Path, template: Path, more: str = "") -> None:
        (folder / "home").mkdir(exist_ok=True)
        (folder / "home" / "config.toml").write_text(CONFIG + more)
        self.bench = Bench({"PERILUNE_HOME": str(folder / "home"), **SECRETS})
        shutil.copy(template.with_name("empty.sqlite3"), folder / "hooks.sqlite3")
        self.store: Store = open_store(folder / "hooks.sqlite3")
        self.desk = WebhookDesk(self.bench, self.store)
        self.jobs = Jobs(self.store)
        self.forge = Forge(dialect, folder / "forge", clock=Clock(NOW, frozen=True))  # type: ignore[arg-type]
        self.author = self.forge.user("ada")
        self.repository: Repository = self.forge.repository("team/shop", source=template)
        self.pull: Pull = self.repository.open_pull(self.author, head="topic")

    def hook(self, **more: Any) -> Hook:
        secret = SECRETS[SHARED[self.forge.dialect]]
        return Hook(dialect=self.forge.dialect, url="http://127.0.0.1:9/", **{"secret": secret, **more})

    def event(self, action: str, delivery: str | None = None, **more: Any) -> Sent:
        hook = more.pop("hook", self.hook())
        document = pull_payload(self.forge, self.repository, self.pull, action, **more)
        return signed(hook, "pull", document, int(self.bench.now().timestamp()), delivery)

    def said(self, body: str, login: str = "ada", **more: Any) -> Sent:
        author = self.forge.users.get(login) or self.forge.user(login, **more)
        comment = self.forge.comment(author, body)
        document = comment_payload(self.forge, self.repository, self.pull, comment)
        return signed(self.hook(), "comment", document, int(self.bench.now().timestamp()))

    async def take(self, sent: Sent) -> HookAnswer:
        headers = {name.lower(): value for name, value in sent.headers.items()}
        return await self.desk.take(self.forge.dialect, headers, sent.body)

    def push(self) -> str:
        before = self.pull.head
        self.pull.head = self.repository.bare.commit("refs/heads/topic", {"more.txt": f"after {before}\n"})
        return before


OPENED = {"github": "opened", "gitlab": "open", "gitea": "opened"}
PUSHED = {"github": "synchronize", "gitlab": "update", "gitea": "synchronized"}


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("hooks") / "shop.git"
    bare = BareRepository.create(folder)
    bare.commit("refs/heads/main", {"a.txt": "one\n"})
    bare.commit("refs/heads/topic", {"a.txt": "two\n"}, parent=bare.tip("refs/heads/main"))
    open_store(folder.with_name("empty.sqlite3")).close()
    return folder


@pytest.fixture(params=DIALECTS)
def place(request: pytest.FixtureRequest, tmp_path: Path, template: Path) -> Iterator[Place]:
    made = Place(request.param, tmp_path, template)
    yield made
    made.store.close()


def at(tmp_path: Path, template: Path, dialect: str, more: str = "") -> Place:
    return Place(dialect, tmp_path, template, more)


async def test_an_opened_pull_request_becomes_a_job(place: Place) -> None:
    answer = await place.take(place.event(OPENED[place.forge.dialect]))
    assert answer.status == 202
    row = place.jobs.row(answer.document["run_id"])
    assert row is not None
    job = msgspec.json.decode(row.input, type=PullJob)
    assert (row.kind, row.key) == ("review", answer.document["key"])
    assert (job.where.repository, job.where.number, job.head) == ("team/shop", 1, place.pull.head)
    assert row.key.endswith(f"/team/shop/1/{place.pull.head}/main")


@pytest.mark.case("review R14.1")
async def test_the_same_delivery_twice_is_one_run(place: Place) -> None:
    sent = place.event(OPENED[place.forge.dialect], delivery="a-delivery")
    first, second = await place.take(sent), await place.take(sent)
    assert (first.status, second.status) == (202, 200)
    assert second.document == {"accepted": False, "reason": "duplicate", "run_id": first.document["run_id"]}
    assert len(place.jobs.recent(9)) == 1


@pytest.mark.case("review R14.2")
async def test_a_bad_missing_or_older_signature_stores_nothing(place: Place) -> None:
    good = place.event(OPENED[place.forge.dialect])
    stale = {name: value for name, value in good.headers.items() if "256" not in name and "ignature" not in name}
    forged = place.event(OPENED[place.forge.dialect], hook=place.hook(secret="another-EXAMPLE"))
    bad = [
        forged,
        msgspec.structs.replace(good, headers={**stale, "X-Gitlab-Token": ""}),
        msgspec.structs.replace(good, headers={**stale, "X-Gitlab-Token": "", "X-Hub-Signature": "sha1=0000"}),
        msgspec.structs.replace(good, headers={**stale, "X-Gitlab-Token": "", "X-Gitea-Signature": ""}),
    ]
    if place.forge.dialect == "gitlab":
        signing = place.event("open", hook=place.hook(secret="", signing=SECRETS["LAB_SIGNING"]))
        bad.append(msgspec.structs.replace(signing, body=signing.body + b" "))
    else:
        bad.append(msgspec.structs.replace(good, body=good.body + b" "))
    for sent in bad:
        answer = await place.take(sent)
        assert (answer.status, answer.document) == (401, {"error": {"code": "PL-HOOK-SIGN"}})
    assert place.jobs.recent(9) == []


async def test_the_signing_token_of_gitlab_is_taken_and_ages(tmp_path: Path, template: Path) -> None:
    place = at(tmp_path, template, "gitlab")
    sent = place.event("open", hook=place.hook(secret="", signing=SECRETS["LAB_SIGNING"]))
    place.bench.moment = NOW + timedelta(minutes=6)
    assert (await place.take(sent)).document == {"error": {"code": "PL-HOOK-STALE"}}
    place.bench.moment = NOW + timedelta(minutes=4)
    assert (await place.take(sent)).status == 202
    place.store.close()


async def test_quick_pushes_leave_one_job_on_the_last_head(place: Place) -> None:
    for _ in range(3):
        before = place.push()
        assert (await place.take(place.event(PUSHED[place.forge.dialect], before=before))).status == 202
    [waiting] = place.jobs.recent(9, open_only=True)
    job = msgspec.json.decode(waiting.input, type=PullJob)
    assert job.head == place.pull.head
    assert waiting.not_before == NOW + timedelta(seconds=10)
    assert {row.state.value for row in place.jobs.recent(9)} == {"queued", "superseded"}


async def test_closing_ends_what_waits(place: Place) -> None:
    await place.take(place.event(OPENED[place.forge.dialect]))
    closing = "close" if place.forge.dialect == "gitlab" else "closed"
    place.pull.state = "closed"
    answer = await place.take(place.event(closing))
    assert answer.document["reason"] == "closed"
    assert [row.state.value for row in place.jobs.recent(9)] == ["cancelled"]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"is_draft": True}, "draft"),
        ({"labels": ["perilune:skip"]}, "label"),
        ({"title": "WIP [Skip Review] x"}, "title"),
    ],
)
async def test_what_is_not_reviewed_says_why(place: Place, change: dict[str, Any], reason: str) -> None:
    for name, value in change.items():
        setattr(place.pull, name, value)
    answer = await place.take(place.event(OPENED[place.forge.dialect]))
    assert (answer.status, answer.document["reason"]) == (200, reason)


@pytest.mark.case("review R14.5")
@pytest.mark.parametrize(
    ("settings", "change", "reason"),
    [
        ("drafts = true", {"is_draft": True}, None),
        ("", {"is_draft": True}, "draft"),
        ("", {"state": "closed"}, "closed"),
        ('forks = "off"', {"is_fork": True}, "fork"),
        ('forks = "summary"', {"is_fork": True}, None),
        ("", {"is_fork": True}, None),
        ("", {"bot": True}, "bot"),
        ('bots = "on"', {"bot": True}, None),
        ('ignore_authors = ["ada"]', {}, "author"),
        ('base_branches = ["release/*"]', {}, "branch"),
        ('base_branches = ["!main"]', {}, "branch"),
    ],
)
async def test_drafts_ends_forks_and_bots_under_each_policy(
    tmp_path: Path, template: Path, settings: str, change: dict[str, Any], reason: str | None
) -> None:
    for dialect in DIALECTS:
        (tmp_path / dialect).mkdir()
        place = at(tmp_path / dialect, template, dialect, f"\n[review]\n{settings}\n")
        if change.get("bot"):
            place.pull.author = place.forge.user("helper[bot]", is_bot=True)
        else:
            for name, value in change.items():
                setattr(place.pull, name, value)
        answer = await place.take(place.event(OPENED[dialect]))
        assert answer.document.get("reason") == reason, (dialect, settings)
        place.store.close()


@pytest.mark.case("review R14.6")
async def test_an_update_of_gitlab_without_commits_is_an_edit(tmp_path: Path, template: Path) -> None:
    place = at(tmp_path, template, "gitlab")
    assert (await place.take(place.event("update"))).document["reason"] == "event"
    ready = {"draft": {"previous": True, "current": False}}
    document = pull_payload(place.forge, place.repository, place.pull, "update") | {"changes": ready}
    assert (await place.take(signed(place.hook(), "pull", document, 0))).status == 202
    place.store.close()


@pytest.mark.case("review R14.7")
async def test_a_hook_without_a_secret_is_not_taken(place: Place) -> None:
    (place.bench.paths.config_file).write_text("schema = 1\n")
    answer = await place.take(place.event(OPENED[place.forge.dialect]))
    assert (answer.status, answer.document) == (503, {"error": {"code": "PL-HOOK-NOSECRET"}})


@pytest.mark.case("review R14.8")
async def test_a_form_of_gitea_is_taken(tmp_path: Path, template: Path) -> None:
    place = at(tmp_path, template, "gitea")
    sent = place.event("opened", hook=place.hook(as_form=True))
    assert sent.body.startswith(b"payload=")
    assert (await place.take(sent)).status == 202
    place.store.close()


async def test_a_command_becomes_a_job_of_its_own(place: Place) -> None:
    answer = await place.take(place.said("@perilune review --force"))
    assert answer.status == 202
    row = place.jobs.row(answer.document["run_id"])
    assert row is not None
    job = msgspec.json.decode(row.input, type=PullJob)
    assert row.kind == "command"
    assert job.command is not None
    assert (job.command.verb, job.command.is_forced) == (Verb.REVIEW, True)
    assert job.comment is not None
    assert job.comment.author.login == "ada"


@pytest.mark.case("review R14.10")
async def test_our_own_comment_is_never_a_command(place: Place) -> None:
    ours = "@perilune review\n<!-- perilune:summary v1 -->"
    assert (await place.take(place.said(ours))).document["reason"] == "bot"
    if place.forge.dialect != "gitea":
        answer = await place.take(place.said("@perilune review", login="perilune[bot]", is_bot=True))
        assert answer.document["reason"] == "bot"


async def test_a_comment_that_is_no_command_is_left_alone(place: Place) -> None:
    assert (await place.take(place.said("Looks good"))).document["reason"] == "comment"


async def test_a_signed_body_that_is_no_document_is_said(place: Place) -> None:
    from perilune.sandbox.forge import hooks

    sent = place.event(OPENED[place.forge.dialect])
    body = b"not json"
    digest = hooks._hex(SECRETS[SHARED[place.forge.dialect]], body)
    headers = {**sent.headers, "X-Hub-Signature-256": f"sha256={digest}", "X-Gitea-Signature": digest}
    answer = await place.take(msgspec.structs.replace(sent, headers=headers, body=body))
    assert (answer.status, answer.document) == (400, {"error": {"code": "PL-HOOK-BODY"}})


async def test_over_http_the_body_is_read_raw_up_to_its_limit(place: Place) -> None:
    app = Starlette(routes=hook_routes(place.desk))
    sent = place.event(OPENED[place.forge.dialect])
    path = f"/hooks/{place.forge.dialect}"
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://127.0.0.1") as client:
        taken = await client.post(path, content=sent.body, headers=sent.headers)
        huge = await client.post(path, content=b"", headers={"content-length": str(LARGEST_BODY + 1)})
        unknown = await client.post("/hooks/elsewhere", content=b"{}")
    assert (taken.status_code, huge.status_code, unknown.status_code) == (202, 413, 404)
    assert json.loads(taken.content)["accepted"] is True
