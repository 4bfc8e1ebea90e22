"""Webhooks of a played forge, sent to a running service."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from perilune.sandbox.forge import ForgeThread
from perilune.sandbox.forge.hooks import Hook, deliver

CONFIG = """
schema = 1

[[accounts]]
name = "main"
plan = "moonshot"
region = "cn"
key = "env:MOONSHOT_TEST_KEY"

[[forges]]
name = "tea"
forge = "gitea"
base_url = "{url}/gitea"
token = "env:MOONSHOT_TEST_KEY"
webhook_secret = "env:TEA_HOOK"
"""


def test_a_push_reaches_a_running_service_once(
    program: Any, sandbox: Any, start: Callable[..., Any], tmp_path: Path
) -> None:
    program.environment |= {
        "MOONSHOT_TEST_KEY": sandbox.world.accounts["moonshot-cn"].keys[0],
        "TEA_HOOK": "hook-secret-EXAMPLE",
    }
    with ForgeThread(tmp_path / "forges") as played:
        program.configure(CONFIG.format(url=played.url))
        service = start(program)
        forge, hooks = played.forges["gitea"], played.app.hooks
        hooks.register(Hook(dialect="gitea", url=f"{service.url}/hooks/gitea", secret="hook-secret-EXAMPLE"))
        hooks.register(Hook(dialect="gitea", url=f"{service.url}/hooks/gitea", secret="another-EXAMPLE"))
        repository = forge.repository("team/shop")
        base = repository.bare.commit("refs/heads/main", {"a.txt": "one\n"})
        repository.bare.commit("refs/heads/topic", {"a.txt": "two\n"}, parent=base)
        pull = repository.open_pull(forge.user("ada"), head="topic")
        taken, refused = hooks.tell(forge, repository, pull, "opened")
        assert (taken.status, refused.status) == (202, 401)
        run_id = json.loads(taken.answer)["run_id"]
        assert (deliver(taken).status, json.loads(taken.answer)["run_id"]) == (200, run_id)
        assert service.stop() == 0
    assert "webhooks on /hooks/gitea" in service.stderr
    assert "Traceback" not in service.stderr
