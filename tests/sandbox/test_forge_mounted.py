"""The sandbox with forges beside the vendors, on one address."""

import asyncio
from pathlib import Path

import httpx2
import pytest

from perilune.core.messages import Voice
from perilune.faces.cli.sandbox import forge_lines
from perilune.sandbox import World, start_sandbox
from perilune.sandbox.forge.sample import sample_forges, sample_pulls


async def test_vendors_and_forges_answer_side_by_side(tmp_path: Path) -> None:
    forges = await asyncio.to_thread(sample_forges, tmp_path)
    sandbox = await start_sandbox(World("pong"), forges=forges)
    try:
        async with httpx2.AsyncClient(base_url=sandbox.url) as client:
            vendor = await client.get("/_sandbox/state")
            tokens = {pull.forge: pull.token for pull in sample_pulls(forges)}
            headers = {"Authorization": f"Bearer {tokens['gitea']}"}
            pull = await client.get("/gitea/api/v1/repos/team/shop/pulls/1", headers=headers)
            official = await client.get(
                "/api.github.com/repos/team/shop/pulls/1", headers={"Authorization": f"Bearer {tokens['github']}"}
            )
    finally:
        await sandbox.stop()
    assert vendor.status_code == 200
    assert pull.json()["title"] == official.json()["title"] == "Make it simpler"


def test_the_lines_to_paste_name_every_sample(tmp_path: Path) -> None:
    lines = "\n".join(forge_lines("http://127.0.0.1:9009", sample_forges(tmp_path), Voice(language="en")))
    for path in ("/github/team/shop/pull/1", "/gitlab/team/shop/-/merge_requests/1", "/gitea/team/shop/pulls/1"):
        assert f"perilune review --pr http://127.0.0.1:9009{path}" in lines


@pytest.mark.parametrize("path", ["/github/team/none.git/info/refs", "/gitlab/api/v4/nothing"])
async def test_what_no_forge_has_is_not_found(tmp_path: Path, path: str) -> None:
    sandbox = await start_sandbox(World("pong"), forges=await asyncio.to_thread(sample_forges, tmp_path))
    try:
        async with httpx2.AsyncClient(base_url=sandbox.url) as client:
            assert (await client.get(path)).status_code == 404
    finally:
        await sandbox.stop()
